"""In which language people last saw the pages

The version before goes on: it does not know the column, and writes nobody's.

Revision: 0074, after 0073
"""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("seen_locale", sa.String(length=8), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "seen_locale")
