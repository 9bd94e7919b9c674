"""The balance that each person of a group begins with

The version before goes on: whom it lets into a group begins without one.

Revision: 0068, after 0067
"""

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("groups", sa.Column("opening_unit", sa.String(length=8), nullable=True))
    op.add_column("groups", sa.Column("opening_amount", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("groups", "opening_amount")
    op.drop_column("groups", "opening_unit")
