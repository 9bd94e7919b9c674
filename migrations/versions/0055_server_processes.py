"""Server processes: which of them serve, and what their upkeep did

The version before goes on: it does not know the table.

Revision: 0055, after 0054
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TABLE = "server_processes"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("free_bytes", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("jobs", LongText, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_processes")),
    )
    op.create_index(op.f("ix_server_processes_seen_at"), TABLE, ["seen_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
