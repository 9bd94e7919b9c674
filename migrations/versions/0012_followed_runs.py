"""A run says when it was last followed on another worker

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("followed_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("followed_at")
