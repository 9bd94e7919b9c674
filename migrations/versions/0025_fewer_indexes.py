"""The ledger's entries of a model and of a key are found by the indexes that tell their outcomes apart

Revision: 0025, after 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

NEEDLESS = {"ix_token_usage_newest_of_model": "model", "ix_token_usage_newest_of_key": "key_id"}


def upgrade() -> None:
    with op.batch_alter_table("token_usage") as ledger:
        for name in NEEDLESS:
            ledger.drop_index(name)


def downgrade() -> None:
    with op.batch_alter_table("token_usage") as ledger:
        for name, column in NEEDLESS.items():
            ledger.create_index(name, [column, "created_at", "id"])
