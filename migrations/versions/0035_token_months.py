"""What access tokens used, by the month too

An older version that still serves adds to the days alone: `flask usage rebuild` makes the months of them.

Revision: 0035, after 0034
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

FILL = (
    "INSERT INTO spent_daily (scope, scope_id, unit, day, amount)"
    " SELECT 'token_month', scope_id, unit, FIRST_OF_MONTH AS first, SUM(amount) FROM spent_daily"
    " WHERE scope = 'token' GROUP BY scope_id, unit, first"
)
FIRST_OF_MONTH = {"sqlite": "date(day, 'start of month')", "mysql": "(day - INTERVAL (DAYOFMONTH(day) - 1) DAY)"}


def upgrade() -> None:
    dialect = "sqlite" if op.get_bind().dialect.name == "sqlite" else "mysql"
    op.execute(FILL.replace("FIRST_OF_MONTH", FIRST_OF_MONTH[dialect]))


def downgrade() -> None:
    op.execute("DELETE FROM spent_daily WHERE scope = 'token_month'")
