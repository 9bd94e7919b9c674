"""Keys by priority and weight, with a cap, an account and a bench

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Folded, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("providers") as providers:
        providers.add_column(sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("last_error_detail", sa.String(length=200), nullable=True))
        keys.add_column(sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
        keys.add_column(sa.Column("weight", sa.Integer(), server_default="1", nullable=False))
        keys.add_column(sa.Column("max_concurrent", sa.Integer(), nullable=True))
        keys.add_column(sa.Column("account", Folded, nullable=True))
        keys.add_column(sa.Column("benched_until", UtcDateTime(), nullable=True))
        keys.add_column(sa.Column("benched_since", UtcDateTime(), nullable=True))
        keys.add_column(sa.Column("bench_code", sa.String(length=64), nullable=True))
        keys.add_column(sa.Column("probe_until", UtcDateTime(), nullable=True))
        keys.add_column(sa.Column("strikes", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as keys:
        for column in (
            "strikes",
            "probe_until",
            "bench_code",
            "benched_since",
            "benched_until",
            "account",
            "max_concurrent",
            "weight",
            "priority",
            "last_error_detail",
        ):
            keys.drop_column(column)
    with op.batch_alter_table("providers") as providers:
        providers.drop_column("priority")
