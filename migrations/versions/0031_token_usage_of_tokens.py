"""The access token that an entry of the ledger was asked with

Older entries stay as they are, and so do those of an older version that still serves: `flask usage rebuild` counts them
for the token of their attempt. Filling the column would hold the whole ledger while others settle.

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("token_usage") as ledger:
        ledger.add_column(sa.Column("token_id", Ascii, nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM spent_daily WHERE scope = 'token'")
    op.execute("DELETE FROM budgets WHERE scope = 'token'")
    with op.batch_alter_table("token_usage") as ledger:
        ledger.drop_column("token_id")
