"""Supervised groups: since when, and when each person was told

The version before goes on: it does not know the columns, and lets nobody read anything.

Revision: 0059, after 0058
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import UtcDateTime

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("supervised_since", UtcDateTime(), nullable=True))
    op.add_column("users", sa.Column("supervision_seen_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "supervision_seen_at")
    op.drop_column("groups", "supervised_since")
