"""What access tokens used, by the month too

An older version that still serves adds to the days alone: `flask usage rebuild` makes the months of them.

Revision: 0035, after 0034
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

FILL = (
    "INSERT INTO spent_monthly (token_id, unit, month, amount)"
    " SELECT scope_id, unit, FIRST_OF_MONTH AS first, SUM(amount) FROM spent_daily"
    " WHERE scope = 'token' GROUP BY scope_id, unit, first"
)
FIRST_OF_MONTH = {"sqlite": "date(day, 'start of month')", "mysql": "(day - INTERVAL (DAYOFMONTH(day) - 1) DAY)"}


def upgrade() -> None:
    op.create_table(
        "spent_monthly",
        sa.Column("token_id", Ascii, nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "unit", "month", name=op.f("pk_spent_monthly")),
        sqlite_with_rowid=False,
    )
    dialect = "sqlite" if op.get_bind().dialect.name == "sqlite" else "mysql"
    op.execute(FILL.replace("FIRST_OF_MONTH", FIRST_OF_MONTH[dialect]))


def downgrade() -> None:
    op.drop_table("spent_monthly")
