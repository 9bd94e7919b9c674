"""When processes that served have ended

The version before goes on: it does not know the column, and lists them as silent.

Revision: 0075, after 0074
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import UtcDateTime

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("server_processes", sa.Column("ended_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("server_processes", "ended_at")
