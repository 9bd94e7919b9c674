"""The roll-up by 32 days, all told apart or nobody's; the site's days with but currency and peak; its four hours

What a server of the version before settles meanwhile is added by `flask usage rebuild`.

Revision: 0037, after 0036
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

DAYS_A_BLOCK, HOURS_A_BLOCK = 32, 4
DIMENSIONS = {"user_id": "", "model": "", "key_id": "", "channel": "", "currency": "", "peak": -1}
SLICES = (  # each with its source, how many of that one's blocks it has in one, and what it keeps
    ("detail_month", "detail_day", DAYS_A_BLOCK, set(DIMENSIONS)),
    ("site_month", "site_day", DAYS_A_BLOCK, set(DIMENSIONS) - {"user_id"}),
    ("site_total", "site_day", 1, {"currency", "peak"}),
    ("site_four_hours", "site_hour", HOURS_A_BLOCK, {"currency"}),
)
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


def upgrade() -> None:
    downgrade()  # of one that was broken off
    for name, source, blocks, kept in SLICES:
        _fill(name, source, sa.type_coerce(rollup.c.block, sa.Integer) // blocks, kept)


def downgrade() -> None:
    op.execute(sa.delete(rollup).where(rollup.c.slice.in_([name for name, *_ in SLICES])))


def _fill(name: str, source: str, block: sa.ColumnElement[int], kept: set[str]) -> None:
    columns: dict[str, sa.ColumnElement[Any]] = {
        "slice": sa.literal(name),
        "block": block,
        **{each: rollup.c[each] if each in kept else sa.literal(value) for each, value in DIMENSIONS.items()},
        **{each: sa.func.sum(rollup.c[each]) for each in FIGURES},
    }
    rows = sa.select(*(value.label(each) for each, value in columns.items())).where(rollup.c.slice == source)
    grouped = rows.group_by(block, *(rollup.c[each] for each in sorted(kept)))
    op.execute(sa.insert(rollup).from_select([*columns], grouped))
