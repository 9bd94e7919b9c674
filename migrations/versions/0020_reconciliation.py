"""What providers said was left, and each day's comparison with the ledger

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Folded, LongText, UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "balance_readings",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("account", Folded, nullable=False),
        sa.Column("provider_id", Ascii, nullable=False),
        sa.Column("key_id", Ascii, nullable=False),
        sa.Column("keys", LongText, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.Column("topped_up", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_readings")),
    )
    op.create_index("ix_balance_readings_account_created_at", "balance_readings", ["account", "created_at"])
    op.create_table(
        "reconciliations",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("account", Folded, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("start_total", sa.BigInteger(), nullable=False),
        sa.Column("end_total", sa.BigInteger(), nullable=False),
        sa.Column("booked", sa.BigInteger(), nullable=False),
        sa.Column("booked_by_key", LongText, nullable=False),
        sa.Column("aside", sa.String(length=1000), nullable=False),
        sa.Column("drift", sa.BigInteger(), nullable=False),
        sa.Column("slack", sa.BigInteger(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("known_drift", sa.BigInteger(), nullable=True),
        sa.Column("known_at", UtcDateTime(), nullable=True),
        sa.Column("known_by", Ascii, nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
        sa.UniqueConstraint("account", "day", "currency", name=op.f("uq_reconciliations_account_day_currency")),
    )
    op.create_index("ix_reconciliations_day", "reconciliations", ["day"])
    op.create_index("ix_reconciliations_stands", "reconciliations", ["stands"])


def downgrade() -> None:
    op.drop_table("reconciliations")
    op.drop_table("balance_readings")
