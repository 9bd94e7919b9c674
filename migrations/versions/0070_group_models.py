"""The models that the people of a group may ask

The version before goes on: to it they may ask every model.

Revision: 0070, after 0069
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import LongText

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("models", LongText, nullable=True))


def downgrade() -> None:
    op.drop_column("groups", "models")
