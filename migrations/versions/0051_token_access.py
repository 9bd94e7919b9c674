"""How often a token may ask, and from where

The version before goes on: it does not know the columns, and asks for neither.

Revision: 0051, after 0050
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import LongText

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

TABLE = "access_tokens"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("requests_per_minute", sa.Integer(), nullable=True))
    op.add_column(TABLE, sa.Column("networks", LongText, nullable=True))


def downgrade() -> None:
    op.drop_column(TABLE, "networks")
    op.drop_column(TABLE, "requests_per_minute")
