"""Warnings: who is told by e-mail, what was told, and when an account at a provider is low

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("kind", Ascii, nullable=False),
        sa.Column("subject_id", Ascii, nullable=False),
        sa.Column("person_id", Ascii, nullable=False),
        sa.Column("armed", Ascii, nullable=False),
        sa.Column("share", sa.SmallInteger(), nullable=False),
        sa.Column("channel", Ascii, nullable=False),
        sa.Column("recipient_id", Ascii, nullable=False),
        sa.Column("facts", LongText, nullable=False),
        sa.Column("state", Ascii, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_detail", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            *("subject_id", "kind", "person_id", "armed", "share", "channel", "recipient_id"), name="uq_notices_once"
        ),
    )
    op.create_index("ix_notices_state_channel_due_at", "notices", ["state", "channel", "due_at"])
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("email", sa.String(length=254), nullable=True))
        users.add_column(sa.Column("warn_by_email", sa.Boolean(), nullable=False, server_default="1"))
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("low_balance_micros", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_column("low_balance_micros")
    with op.batch_alter_table("users") as users:
        users.drop_column("warn_by_email")
        users.drop_column("email")
    op.drop_table("notices")
