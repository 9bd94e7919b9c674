"""A person's hours in the roll-up; indexes that answer a search for estimates or refunds by themselves

Revision: 0023, after 0022
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

OLD_INDEXES = {
    "ix_token_usage_newest_of_user": ["user_id", "created_at", "id", "model", "key_id", "outcome"],
    "ix_token_usage_newest_of_source": ["source", "created_at", "id"],
    "ix_token_usage_newest_of_kind": ["kind", "created_at", "id"],
}
NEW_INDEXES = {
    "ix_token_usage_newest_of_user": [*OLD_INDEXES["ix_token_usage_newest_of_user"], "source", "attempt_id"],
    "ix_token_usage_newest_of_source": [
        *OLD_INDEXES["ix_token_usage_newest_of_source"],
        *("outcome", "model", "key_id", "user_id", "attempt_id"),
    ],
    "ix_token_usage_newest_of_kind": [*OLD_INDEXES["ix_token_usage_newest_of_kind"], "attempt_id"],
}
SLICE, QUARTERS = "person_hour", 4
UNUSED = {"model": "", "key_id": "", "channel": ""}
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

rollup = sa.table(
    "usage_hourly", *(sa.column(name) for name in ("slice", "block", "user_id", *UNUSED, "currency", "peak", *FIGURES))
)


def upgrade() -> None:
    _swap_indexes(OLD_INDEXES, NEW_INDEXES)
    _fill()


def downgrade() -> None:
    op.execute(sa.delete(rollup).where(rollup.c.slice == SLICE))
    _swap_indexes(NEW_INDEXES, OLD_INDEXES)


def _swap_indexes(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    with op.batch_alter_table("token_usage") as ledger:
        for name in old:
            ledger.drop_index(name)
        for name, columns in new.items():
            ledger.create_index(name, columns)


def _fill() -> None:
    """From the quarter-hours. What an older version settles meanwhile is added by `flask usage rebuild`."""
    block = sa.type_coerce(rollup.c.block, sa.Integer) // QUARTERS
    columns: dict[str, sa.ColumnElement[Any]] = {
        "slice": sa.literal(SLICE),
        "block": block,
        "user_id": rollup.c.user_id,
        **{name: sa.literal(value) for name, value in UNUSED.items()},
        "currency": rollup.c.currency,
        "peak": sa.literal(-1),
        **{name: sa.func.sum(rollup.c[name]) for name in FIGURES},
    }
    rows = sa.select(*(value.label(name) for name, value in columns.items())).where(rollup.c.slice == "detail")
    op.execute(sa.insert(rollup).from_select([*columns], rows.group_by(block, rollup.c.user_id, rollup.c.currency)))
