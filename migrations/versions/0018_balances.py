"""Prepaid balances: budgets that never renew, and their top-ups

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "top_ups",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("budget_id", Ascii, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("user_id", Ascii, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_top_ups")),
    )
    op.create_index("ix_top_ups_budget_id_id", "top_ups", ["budget_id", "id"])
    with op.batch_alter_table("budgets") as budgets:
        budgets.add_column(sa.Column("spent_before", sa.BigInteger(), nullable=False, server_default="0"))
        budgets.add_column(sa.Column("topped_to", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.execute("DELETE FROM budgets WHERE period = 'prepaid'")
    with op.batch_alter_table("budgets") as budgets:
        budgets.drop_column("topped_to")
        budgets.drop_column("spent_before")
    op.drop_table("top_ups")
