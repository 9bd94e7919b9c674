"""Links by which people show conversations to others

The version before goes on: it knows of no links, and deletes them with their conversations all the same.

Revision: 0065, after 0064
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("conversation_id", Ascii, nullable=False),
        sa.Column("digest", Ascii, nullable=False),
        sa.Column("token", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("shown_name", sa.String(length=64), nullable=True),
        sa.Column("thoughts", sa.Boolean(), nullable=False),
        sa.Column("content", LongText, nullable=False),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_shares_user_id_users"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_shares_conversation_id_conversations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("digest", name=op.f("uq_shares_digest")),
    )
    for column in ("user_id", "conversation_id", "expires_at"):
        op.create_index(op.f(f"ix_shares_{column}"), "shares", [column])


def downgrade() -> None:
    op.drop_table("shares")
