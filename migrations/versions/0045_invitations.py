"""Invitations: links by which people make accounts of their own

The version before goes on: it does not know the table, and a group that it deletes leaves its invitations without one.

Revision: 0045, after 0044
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("digest", Ascii, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("group_id", Ascii, nullable=True),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("user_id", Ascii, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_invitations_group_id_groups"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
    )
    op.create_index("ix_invitations_group_id", "invitations", ["group_id"])


def downgrade() -> None:
    op.drop_table("invitations")
