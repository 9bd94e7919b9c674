"""Calls of tools that models made for their answers

The version before goes on: it knows nothing of them, and answers without.

Revision: 0086, after 0085
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None

CALLS = "tool_calls"


def upgrade() -> None:
    op.create_table(
        CALLS,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("message_id", Ascii, nullable=False),
        sa.Column("run_id", Ascii, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=128), nullable=False),
        sa.Column("server_id", Ascii, nullable=True),
        sa.Column("server", sa.String(length=128), nullable=False),
        sa.Column("tool", sa.String(length=128), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("arguments", LongText, nullable=False),
        sa.Column("result", LongText, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("allows_all", sa.Boolean(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f(f"fk_{CALLS}_message_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{CALLS}")),
    )
    op.create_index(op.f(f"ix_{CALLS}_message_id"), CALLS, ["message_id"])
    op.create_index(op.f(f"ix_{CALLS}_run_id"), CALLS, ["run_id"])


def downgrade() -> None:
    op.drop_table(CALLS)
