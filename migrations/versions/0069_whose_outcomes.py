"""The newest entries of a model or a key by their outcome: whose they are is read in the index too

The version before goes on, and uses the new indexes as it used the old.

Revision: 0069, after 0068
"""

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

_TABLE = "token_usage"
_OLD = {"model": "ix_token_usage_newest_of_model_outcome", "key_id": "ix_token_usage_newest_of_key_outcome"}
_NEW = {"model": "ix_token_usage_newest_of_outcome_of_model", "key_id": "ix_token_usage_newest_of_outcome_of_key"}


def upgrade() -> None:
    for column, name in _NEW.items():
        op.create_index(name, _TABLE, [column, "outcome", "created_at", "id", "user_id"])
    for name in _OLD.values():
        op.drop_index(name, _TABLE)


def downgrade() -> None:
    for column, name in _OLD.items():
        op.create_index(name, _TABLE, [column, "outcome", "created_at", "id"])
    for name in _NEW.values():
        op.drop_index(name, _TABLE)
