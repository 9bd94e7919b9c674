"""Calendars of prices may name days of their own; models' names are compared exactly

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Exact

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tariffs") as tariffs:
        tariffs.alter_column("calendar", existing_type=sa.String(1000), type_=sa.String(4000), existing_nullable=True)
        tariffs.alter_column("model", existing_type=sa.String(128), type_=Exact, existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("tariffs") as tariffs:
        tariffs.alter_column("model", existing_type=Exact, type_=sa.String(128), existing_nullable=False)
        tariffs.alter_column("calendar", existing_type=sa.String(4000), type_=sa.String(1000), existing_nullable=True)
