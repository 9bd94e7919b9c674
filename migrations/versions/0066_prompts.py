"""Prompts that people keep, and those that administrators keep for others

The version before goes on: it knows nothing of them.

Revision: 0066, after 0065
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Folded, LongText, UtcDateTime

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prompts",
        *_words(),
        sa.Column("user_id", Ascii, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_prompts_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint("user_id", "command_key", name=op.f("uq_prompts_user_id_command_key")),
    )
    op.create_table(
        "shared_prompts",
        *_words(),
        sa.Column("group_id", Ascii, nullable=True),
        sa.Column("scope_id", Ascii, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_shared_prompts_group_id_groups"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_prompts")),
        sa.UniqueConstraint("scope_id", "command_key", name=op.f("uq_shared_prompts_scope_id_command_key")),
    )
    op.create_index(op.f("ix_shared_prompts_group_id"), "shared_prompts", ["group_id"])


def downgrade() -> None:
    op.drop_table("shared_prompts")
    op.drop_table("prompts")


def _words() -> list[sa.Column[object]]:
    return [
        sa.Column("id", Ascii, nullable=False),
        sa.Column("command", sa.String(32), nullable=False),
        sa.Column("command_key", Folded, nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("title_key", Folded, nullable=False),
        sa.Column("text", LongText, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    ]
