"""An index of access tokens' newest entries; those of people, sources and kinds know channels; attempts' know keys

Revision: 0036, after 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

LEDGER, ATTEMPTS = "token_usage", "proxy_logs"
OLD_ATTEMPTS, NEW_ATTEMPTS = "ix_proxy_logs_state_created_at", "ix_proxy_logs_state_created_at_key_id"
ADDED = "ix_token_usage_newest_of_token"
OF_TOKEN = ["token_id", "channel", "user_id", "created_at", "id", "model", "key_id", "outcome", "source", "attempt_id"]
OLD = {
    "ix_token_usage_newest_of_user": [
        "user_id",
        "created_at",
        "id",
        "model",
        "key_id",
        "outcome",
        "source",
        "attempt_id",
    ],
    "ix_token_usage_newest_of_kind": [
        "kind",
        "created_at",
        "id",
        "attempt_id",
        "user_id",
        "model",
        "key_id",
        "outcome",
    ],
    "ix_token_usage_newest_of_source": [
        "source",
        "created_at",
        "id",
        "outcome",
        "model",
        "key_id",
        "user_id",
        "attempt_id",
    ],
}


def upgrade() -> None:
    _replace({name: [*columns, "channel"] for name, columns in OLD.items()})
    op.create_index(ADDED, LEDGER, OF_TOKEN)
    op.create_index(NEW_ATTEMPTS, ATTEMPTS, ["state", "created_at", "key_id"])
    op.drop_index(OLD_ATTEMPTS, ATTEMPTS)


def downgrade() -> None:
    op.create_index(OLD_ATTEMPTS, ATTEMPTS, ["state", "created_at"])
    op.drop_index(NEW_ATTEMPTS, ATTEMPTS)
    op.drop_index(ADDED, LEDGER)
    _replace(OLD)


def _replace(indexes: dict[str, list[str]]) -> None:
    """In one statement where each is a transaction: who searches meanwhile has the ones of before."""
    if op.get_bind().dialect.name == "sqlite":
        for name, columns in indexes.items():
            op.drop_index(name, LEDGER)
            op.create_index(name, LEDGER, columns)
    else:
        changes = [f"DROP INDEX {name}, ADD INDEX {name} ({', '.join(each)})" for name, each in indexes.items()]
        op.execute(f"ALTER TABLE {LEDGER} {', '.join(changes)}")
