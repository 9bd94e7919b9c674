"""People's four hours in the roll-up; the index of attempts by time knows how they failed

What a server of the version before settles meanwhile is added by `flask usage rebuild`.

Revision: 0038, after 0037
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

NAME, QUARTERS = "person_four_hours", 16
DAY = 96  # quarters that are added up by one statement
ATTEMPTS = "proxy_logs"
OLD, NEW = "ix_proxy_logs_state_created_at_key_id", "ix_proxy_logs_state_created_at_key_id_error_code"
COLUMNS = ["state", "created_at", "key_id"]
DIMENSIONS = {"user_id": "", "model": "", "key_id": "", "channel": "", "currency": "", "peak": -1}
KEPT = ("user_id", "currency")
FIGURES = (
    "requests",
    "refunds",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "estimated_requests",
    "unpriced_requests",
    "cost_micros",
    "cache_saved_micros",
    "peak_extra_micros",
    "duration_ms",
    "begun_requests",
    "first_token_ms",
)

rollup = sa.table("usage_hourly", *(sa.column(name) for name in ("slice", "block", *DIMENSIONS, *FIGURES)))
detail = rollup.c.slice == "detail"


def upgrade() -> None:
    op.create_index(NEW, ATTEMPTS, [*COLUMNS, "error_code"])
    op.drop_index(OLD, ATTEMPTS)
    _remove()  # of one that was broken off
    ends = sa.select(sa.func.min(rollup.c.block), sa.func.max(rollup.c.block)).where(detail)
    first, last = op.get_bind().execute(ends).one()
    if first is not None:
        for day in range(first // DAY, last // DAY + 1):
            _fill(day * DAY, (day + 1) * DAY)


def downgrade() -> None:
    _remove()
    op.create_index(OLD, ATTEMPTS, COLUMNS)
    op.drop_index(NEW, ATTEMPTS)


def _remove() -> None:
    op.execute(sa.delete(rollup).where(rollup.c.slice == NAME))


def _fill(first: int, end: int) -> None:
    block = sa.type_coerce(rollup.c.block, sa.Integer) // QUARTERS
    columns: dict[str, sa.ColumnElement[Any]] = {
        "slice": sa.literal(NAME),
        "block": block,
        **{each: rollup.c[each] if each in KEPT else sa.literal(value) for each, value in DIMENSIONS.items()},
        **{each: sa.func.sum(rollup.c[each]) for each in FIGURES},
    }
    rows = sa.select(*(value.label(each) for each, value in columns.items()))
    grouped = rows.where(detail, rollup.c.block >= first, rollup.c.block < end)
    grouped = grouped.group_by(block, *(rollup.c[each] for each in KEPT))
    op.execute(sa.insert(rollup).from_select([*columns], grouped))
