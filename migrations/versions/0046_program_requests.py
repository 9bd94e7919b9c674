"""The log of programs' requests

The version before goes on: it does not know the table, and the requests that it answers are in no row of it.

Revision: 0046, after 0045
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Exact, UtcDateTime

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

TABLE = "program_requests"
SEARCHED = ("token_id", "user_id", "model", "status_class", "error_code")
INDEXES = {"user": "user_id", "token": "token_id", "model": "model", "status": "status_class", "error": "error_code"}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("request_id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("token_id", Ascii, nullable=False),
        sa.Column("call", sa.String(length=32), nullable=False),
        sa.Column("model", Exact, nullable=True),
        sa.Column("actual_model", sa.String(length=128), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("status_class", sa.SmallInteger(), nullable=False),
        sa.Column("error_code", Ascii, nullable=True),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("attempt_id", Ascii, nullable=True),
        sa.Column("first_token_ms", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("bytes_sent", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_requests")),
    )
    op.create_index(op.f("ix_program_requests_request_id"), TABLE, ["request_id"])
    for name, column in INDEXES.items():
        rest = [other for other in SEARCHED if other != column]
        op.create_index(f"ix_program_requests_of_{name}", TABLE, [column, "id", *rest])


def downgrade() -> None:
    op.drop_table(TABLE)
