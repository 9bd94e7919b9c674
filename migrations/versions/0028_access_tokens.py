"""Personal access tokens: programs ask in a person's name

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("digest", Ascii, nullable=False),
        sa.Column("hint", sa.String(length=4), nullable=False),
        sa.Column("models", LongText, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_access_tokens_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_access_tokens_digest")),
    )
    op.create_index(op.f("ix_access_tokens_user_id_revoked_at"), "access_tokens", ["user_id", "revoked_at"])


def downgrade() -> None:
    op.drop_table("access_tokens")
