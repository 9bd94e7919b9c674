"""The effort that a provider was told to think with

The version before goes on: it tells none.

Revision: 0043, after 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.add_column(sa.Column("effort", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.drop_column("effort")
