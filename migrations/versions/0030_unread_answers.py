"""Whether anybody still followed an answer when it ended

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.add_column(sa.Column("unread", sa.Boolean(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.drop_column("unread")
