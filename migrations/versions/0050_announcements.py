"""Announcements: what administrators tell everybody

The version before goes on: it does not know the table.

Revision: 0050, after 0049
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("tone", Ascii, nullable=False),
        sa.Column("begins_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )


def downgrade() -> None:
    op.drop_table("announcements")
