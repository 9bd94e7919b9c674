"""Conversations on top of their person's list, and apart from it

The version before goes on: it lists them all, and what it writes is neither pinned nor archived.

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import UtcDateTime

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

NEEDLESS = "ix_conversations_user_id_updated_at_id"
INDEXES = {
    "ix_conversations_user_id_archived_updated_at_id": ["user_id", "archived", "updated_at", "id"],
    "ix_conversations_user_id_archived_pinned_at_id": ["user_id", "archived", "pinned_at", "id"],
}


def upgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        conversations.add_column(sa.Column("pinned_at", UtcDateTime(), nullable=True))
        conversations.add_column(sa.Column("archived", sa.Boolean(), server_default="0", nullable=False))
        for name, columns in INDEXES.items():
            conversations.create_index(op.f(name), columns)
        conversations.drop_index(op.f(NEEDLESS))


def downgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        conversations.create_index(op.f(NEEDLESS), ["user_id", "updated_at", "id"])
        for name in INDEXES:
            conversations.drop_index(op.f(name))
    with op.batch_alter_table("conversations") as conversations:
        conversations.drop_column("archived")
        conversations.drop_column("pinned_at")
