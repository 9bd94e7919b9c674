"""A run can go on with an answer that broke off

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("text_before", sa.Integer(), nullable=True))
        runs.add_column(sa.Column("reasoning_before", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("reasoning_before")
        runs.drop_column("text_before")
