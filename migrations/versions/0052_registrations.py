"""Registrations: people who ask for an account without an invitation

The version before goes on: it does not know the table.

Revision: 0052, after 0051
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Folded, UtcDateTime

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

TABLE = "registrations"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("digest", Ascii, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("user_id", Ascii, nullable=True),
        sa.Column("came_in_by", Folded, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_registrations_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("came_in_by", name=op.f("uq_registrations_came_in_by")),
        sa.UniqueConstraint("digest", name=op.f("uq_registrations_digest")),
    )
    op.create_index(op.f("ix_registrations_expires_at"), TABLE, ["expires_at"])
    op.create_index(op.f("ix_registrations_user_id"), TABLE, ["user_id"])


def downgrade() -> None:
    op.drop_table(TABLE)
