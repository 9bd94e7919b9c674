"""How many answers may be in the making with a token

The version before goes on: it does not know the column, and lets as many be made as the token's person may have.

Revision: 0072, after 0071
"""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("parallel_requests", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("access_tokens", "parallel_requests")
