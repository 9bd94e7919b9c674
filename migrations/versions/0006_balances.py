"""Balances at the providers, and when they and the lists of models are read

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("providers") as providers:
        providers.add_column(sa.Column("balance_offered", sa.Boolean(), nullable=True))
        providers.add_column(sa.Column("models_due_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("balance", sa.String(length=1000), nullable=True))
        keys.add_column(sa.Column("balance_at", UtcDateTime(), nullable=True))
        keys.add_column(sa.Column("balance_due_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as keys:
        for column in ("balance_due_at", "balance_at", "balance"):
            keys.drop_column(column)
    with op.batch_alter_table("providers") as providers:
        for column in ("models_due_at", "balance_offered"):
            providers.drop_column(column)
