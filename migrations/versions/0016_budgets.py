"""Budgets, what is spent of them by day, and what each attempt holds

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("scope_id", Ascii, nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sa.UniqueConstraint("scope_id", "scope", "unit", "period", name=op.f("uq_budgets_scope_id_scope_unit_period")),
    )
    op.create_table(
        "spent_daily",
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("scope_id", Ascii, nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "scope_id", "unit", "day", name=op.f("pk_spent_daily")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.add_column(sa.Column("group_id", Ascii, nullable=True))
        attempts.add_column(sa.Column("day", sa.Date(), nullable=True))
        attempts.add_column(sa.Column("max_tokens", sa.Integer(), nullable=True))
        attempts.add_column(sa.Column("reserved_tokens", sa.BigInteger(), nullable=True))
        attempts.add_column(sa.Column("reserved_micros", sa.BigInteger(), nullable=True))
        attempts.add_column(sa.Column("currency", sa.String(length=3), nullable=True))
        attempts.create_index("ix_proxy_logs_state_group_id_day", ["state", "group_id", "day"])
        attempts.create_index("ix_proxy_logs_state_user_id_day", ["state", "user_id", "day"])
    with op.batch_alter_table("token_usage") as ledger:
        ledger.add_column(sa.Column("group_id", Ascii, nullable=True))
        ledger.add_column(sa.Column("day", sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("token_usage") as ledger:
        ledger.drop_column("day")
        ledger.drop_column("group_id")
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.drop_index("ix_proxy_logs_state_user_id_day")
        attempts.drop_index("ix_proxy_logs_state_group_id_day")
        for column in ("currency", "reserved_micros", "reserved_tokens", "max_tokens", "day", "group_id"):
            attempts.drop_column(column)
    op.drop_table("spent_daily")
    op.drop_table("budgets")
