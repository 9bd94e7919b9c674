"""Conversations in folders of their person's

The version before goes on: it lists them all, and what it begins is in none.

Revision: 0040, after 0039
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

REFERENCE = "fk_conversations_folder_id_folders"
INDEXES = {
    "ix_conversations_folder_id": ["folder_id"],
    "ix_conversations_user_id_archived_folder_id_updated_at_id": [
        *("user_id", "archived", "folder_id", "updated_at", "id"),
    ],
}


def upgrade() -> None:
    op.create_table(
        "folders",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_folders_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folders")),
    )
    op.create_index(op.f("ix_folders_user_id"), "folders", ["user_id"])
    with op.batch_alter_table("conversations") as conversations:
        conversations.add_column(sa.Column("folder_id", Ascii, nullable=True))
        conversations.create_foreign_key(op.f(REFERENCE), "folders", ["folder_id"], ["id"], ondelete="SET NULL")
        for name, columns in INDEXES.items():
            conversations.create_index(op.f(name), columns)


def downgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        conversations.drop_constraint(op.f(REFERENCE), type_="foreignkey")
        for name in INDEXES:
            conversations.drop_index(op.f(name))
        conversations.drop_column("folder_id")
    op.drop_table("folders")
