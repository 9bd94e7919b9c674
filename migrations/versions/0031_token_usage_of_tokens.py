"""The access token that an entry of the ledger was asked with, and what each has used by day

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ATTEMPTED_WITH = """
    UPDATE token_usage
    SET token_id = (SELECT proxy_logs.token_id FROM proxy_logs WHERE proxy_logs.id = token_usage.attempt_id)
    WHERE channel = 'api'
"""
ADD_UP = """
    INSERT INTO spent_daily (scope, scope_id, unit, day, amount)
    SELECT 'token', token_id, {unit}, day, SUM({amount}) FROM token_usage
    WHERE token_id IS NOT NULL AND day IS NOT NULL AND {unit} IS NOT NULL
    GROUP BY token_id, {unit}, day
"""


def upgrade() -> None:
    with op.batch_alter_table("token_usage") as ledger:
        ledger.add_column(sa.Column("token_id", Ascii, nullable=True))
    op.execute(ATTEMPTED_WITH)
    op.execute(ADD_UP.format(unit="'tokens'", amount="prompt_tokens + completion_tokens"))
    op.execute(ADD_UP.format(unit="currency", amount="cost_micros"))


def downgrade() -> None:
    op.execute("DELETE FROM spent_daily WHERE scope = 'token'")
    op.execute("DELETE FROM budgets WHERE scope = 'token'")
    with op.batch_alter_table("token_usage") as ledger:
        ledger.drop_column("token_id")
