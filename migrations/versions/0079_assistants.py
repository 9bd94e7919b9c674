"""Assistants that people make, and which of them a conversation has

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

REFERENCE = "fk_conversations_assistant_id_assistants"
INDEX = "ix_conversations_assistant_id"


def upgrade() -> None:
    op.create_table(
        "assistants",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("icon", sa.String(length=16), nullable=False),
        sa.Column("instructions", LongText, nullable=False),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("thinking", sa.String(length=8), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_assistants_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assistants")),
    )
    op.create_index(op.f("ix_assistants_user_id"), "assistants", ["user_id"])
    with op.batch_alter_table("conversations") as conversations:
        conversations.add_column(sa.Column("assistant_id", Ascii, nullable=True))
        conversations.create_foreign_key(op.f(REFERENCE), "assistants", ["assistant_id"], ["id"], ondelete="SET NULL")
        conversations.create_index(op.f(INDEX), ["assistant_id"])


def downgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        conversations.drop_constraint(op.f(REFERENCE), type_="foreignkey")
        conversations.drop_index(op.f(INDEX))
        conversations.drop_column("assistant_id")
    op.drop_table("assistants")
