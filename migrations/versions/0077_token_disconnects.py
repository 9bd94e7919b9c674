"""What becomes of an answer whose program leaves, for each token

The version before goes on: it does not know the column, and ends such answers as it always did.

Revision: 0077, after 0076
"""

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("on_disconnect", sa.String(length=16), server_default="stop", nullable=False)
    op.add_column("access_tokens", column)


def downgrade() -> None:
    op.drop_column("access_tokens", "on_disconnect")
