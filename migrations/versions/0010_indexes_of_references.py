"""What refers to a message is found by an index: deleting one must not look through all others

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REFERENCES = (("messages", "parent_id", "messages"), ("runs", "user_message_id", "messages"))


def upgrade() -> None:
    for table, column, _ in REFERENCES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column, referred in REFERENCES:
        if _lacks(table, own := op.f(f"fk_{table}_{column}_{referred}")):
            op.create_index(own, table, [column])
        op.drop_index(op.f(f"ix_{table}_{column}"), table)


def _lacks(table: str, index: str) -> bool:
    """Is InnoDB's own index of the reference gone? MySQL drops it for ours, and does not let go of the last."""
    bind = op.get_bind()
    return bind.dialect.name != "sqlite" and index not in {
        found["name"] for found in sa.inspect(bind).get_indexes(table)
    }
