"""Use by the clock in the roll-up, instead of a person's hours; an index that knows whose and of what refunds are

The hours' rows stay for servers of the version before; `flask usage rebuild` removes them.

Revision: 0024, after 0023
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INDEX = "ix_token_usage_newest_of_kind"
OLD_COLUMNS = ["kind", "created_at", "id", "attempt_id"]
NEW_COLUMNS = [*OLD_COLUMNS, "user_id", "model", "key_id", "outcome"]
DAY, MONTH, HOUR = 96, 32 * 96, 4
SOURCES = {"person_clock": "detail", "site_clock": "site_quarter"}
DIMENSIONS = {"user_id": "", "model": "", "key_id": "", "channel": "", "currency": "", "peak": -1}
KEPT = ("user_id", "currency")  # the site's rows are nobody's
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
quarter = sa.type_coerce(rollup.c.block, sa.Integer)


def upgrade() -> None:
    """What an older version settles meanwhile is added by `flask usage rebuild`."""
    _index_refunds_by(NEW_COLUMNS)
    for name, source in SOURCES.items():
        _fill(name, source, quarter // MONTH * DAY + quarter % DAY)


def downgrade() -> None:
    op.execute(sa.delete(rollup).where(rollup.c.slice.in_(["person_hour", *SOURCES])))
    _fill("person_hour", "detail", quarter // HOUR)
    _index_refunds_by(OLD_COLUMNS)


def _index_refunds_by(columns: list[str]) -> None:
    with op.batch_alter_table("token_usage") as ledger:
        ledger.drop_index(INDEX)
        ledger.create_index(INDEX, columns)


def _fill(name: str, source: str, block: sa.ColumnElement[int]) -> None:
    columns: dict[str, sa.ColumnElement[Any]] = {
        "slice": sa.literal(name),
        "block": block,
        **{each: rollup.c[each] if each in KEPT else sa.literal(value) for each, value in DIMENSIONS.items()},
        **{each: sa.func.sum(rollup.c[each]) for each in FIGURES},
    }
    rows = sa.select(*(value.label(each) for each, value in columns.items())).where(rollup.c.slice == source)
    grouped = rows.group_by(block, *(rollup.c[each] for each in KEPT))
    op.execute(sa.insert(rollup).from_select([*columns], grouped))
