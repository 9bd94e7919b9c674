"""What an idempotency key came with

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("draft_digest", Ascii, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("draft_digest")
