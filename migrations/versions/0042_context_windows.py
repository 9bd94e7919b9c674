"""A model has a context window

Revision: 0042, after 0041

Those of DeepSeek's models are what its price page said in November 2026 (https://api-docs.deepseek.com/quick_start/pricing).
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

MILLION = ("deepseek-flash", "deepseek-v4-pro", "deepseek-v4-flash", "deepseek-v4-flash-vision-exp")

models = sa.table("models", *(sa.column(name) for name in ("name", "provider_id", "context_tokens")))
providers = sa.table("providers", sa.column("id"), sa.column("kind"))


def upgrade() -> None:
    with op.batch_alter_table("models") as altered:
        altered.add_column(sa.Column("context_tokens", sa.Integer(), nullable=True))
    of_this_machine = sa.select(providers.c.id).where(providers.c.kind == "local")
    op.execute(models.update().where(models.c.provider_id.in_(of_this_machine)).values(context_tokens=4096))
    op.execute(models.update().where(sa.func.lower(models.c.name).in_(MILLION)).values(context_tokens=1_000_000))


def downgrade() -> None:
    with op.batch_alter_table("models") as altered:
        altered.drop_column("context_tokens")
