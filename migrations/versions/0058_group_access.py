"""What the people of a group may use, and when

The version before goes on: it does not know the column, and limits nothing by it.

Revision: 0058, after 0057
"""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("access", sa.String(length=255), server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("groups", "access")
