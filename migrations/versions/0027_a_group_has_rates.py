"""How often the people of a group may ask

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("groups") as groups:
        groups.add_column(sa.Column("rates", sa.String(255), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("groups") as groups:
        groups.drop_column("rates")
