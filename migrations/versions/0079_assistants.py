"""Assistants that people make or administrators keep for others, and which of them a conversation has

The version before goes on: it knows nothing of them, and answers without their instructions.

Revision: 0079, after 0078
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

OWN = ("assistant_id", "assistants", "fk_conversations_assistant_id_assistants")
SHARED = ("shared_assistant_id", "shared_assistants", "fk_conversations_shared_assistant_id_shared_assistants")


def upgrade() -> None:
    op.create_table(
        "assistants",
        *_told(),
        sa.Column("user_id", Ascii, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_assistants_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assistants")),
    )
    op.create_index(op.f("ix_assistants_user_id"), "assistants", ["user_id"])
    op.create_table(
        "shared_assistants",
        *_told(),
        sa.Column("group_id", Ascii, nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_shared_assistants_group_id_groups"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_assistants")),
    )
    op.create_index(op.f("ix_shared_assistants_group_id"), "shared_assistants", ["group_id"])
    with op.batch_alter_table("conversations") as conversations:
        for column, table, reference in (OWN, SHARED):
            conversations.add_column(sa.Column(column, Ascii, nullable=True))
            conversations.create_foreign_key(op.f(reference), table, [column], ["id"], ondelete="SET NULL")
            conversations.create_index(op.f(f"ix_conversations_{column}"), [column])


def downgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        for column, _, reference in (OWN, SHARED):
            conversations.drop_constraint(op.f(reference), type_="foreignkey")
            conversations.drop_index(op.f(f"ix_conversations_{column}"))
            conversations.drop_column(column)
    op.drop_table("shared_assistants")
    op.drop_table("assistants")


def _told() -> list[sa.Column[object]]:
    return [
        sa.Column("id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("icon", sa.String(length=16), nullable=False),
        sa.Column("instructions", LongText, nullable=False),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("thinking", sa.String(length=8), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    ]
