"""People who have deleted their account, until all of it is removed

The version before goes on: to it they are disabled.

Revision: 0061, after 0060
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import UtcDateTime

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("deleted_at", UtcDateTime(), nullable=True))
    op.create_index("ix_users_deleted_at", "users", ["deleted_at"])


def downgrade() -> None:
    op.drop_index("ix_users_deleted_at", "users")
    op.drop_column("users", "deleted_at")
