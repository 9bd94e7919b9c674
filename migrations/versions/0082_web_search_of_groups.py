"""Whether the people of a group may have questions looked up on the web

The version before goes on: it looks nothing up.

Revision: 0082, after 0081
"""

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("web_search", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("groups", "web_search")
