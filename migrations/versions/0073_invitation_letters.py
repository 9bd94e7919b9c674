"""Letters by which invitations go to their people

The version before goes on: it does not know the table, and sends none of them. What waits there while it runs is
dropped, or sent, once a newer one is back.

Revision: 0073, after 0072
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

TABLE = "invitation_letters"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("invitation_id", Ascii, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("code", sa.LargeBinary(length=1024), nullable=True),
        sa.Column("site_url", sa.String(length=300), nullable=False),
        sa.Column("locale", Ascii, nullable=False),
        sa.Column("state", Ascii, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"],
            ["invitations.id"],
            name=op.f("fk_invitation_letters_invitation_id_invitations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitation_letters")),
    )
    op.create_index(op.f("ix_invitation_letters_state_due_at"), TABLE, ["state", "due_at"])
    op.create_index(op.f("ix_invitation_letters_created_at"), TABLE, ["created_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
