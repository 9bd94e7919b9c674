"""Refunds: an attempt may have an entry of each kind; what the cache saved and peak hours cost is counted

Revision: 0014, after 0013
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PRICED = ("cache_saved_micros", "peak_extra_micros")
NEW_INDEXES = {
    "ix_token_usage_newest_of_source": ["source", "created_at", "id"],
    "ix_token_usage_newest_of_kind": ["kind", "created_at", "id"],
}
UNUSED = {"user_id": "", "model": "", "key_id": "", "channel": "", "currency": "", "peak": -1}
FIGURES = (
    "requests",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "estimated_requests",
    "unpriced_requests",
    "cost_micros",
    "duration_ms",
    "begun_requests",
    "first_token_ms",
)
# The slice, its dimensions, the slice to add up from, and how many of that one's blocks are one here.
SLICES = (
    ("detail_day", tuple(UNUSED), "detail", 96),
    ("site_day", ("model", "key_id", "channel", "currency", "peak"), "detail_day", 1),
    ("person_day", ("user_id", "currency"), "detail_day", 1),
    ("person_month", ("user_id", "currency"), "person_day", 32),
    ("site_quarter", ("currency",), "detail", 1),
    ("site_hour", ("currency",), "site_quarter", 4),
)
PRICED_TOKENS = 1_000_000


def upgrade() -> None:
    with op.batch_alter_table("token_usage") as entries:
        entries.add_column(sa.Column("kind", Ascii, server_default="usage", nullable=False))
        for name in PRICED:
            entries.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        entries.add_column(sa.Column("reason", sa.String(length=200), nullable=True))
        entries.create_unique_constraint(op.f("uq_token_usage_attempt_id_kind"), ["attempt_id", "kind"])
        entries.drop_constraint(op.f("uq_token_usage_attempt_id"), type_="unique")
        for name, columns in NEW_INDEXES.items():
            entries.create_index(name, columns)
    for name in ("refunds", *PRICED):
        op.add_column("usage_hourly", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.execute(_priced_entries())
    _refill((*FIGURES, *PRICED))


def downgrade() -> None:
    """Refunds are lost: the tables of before have no place for them."""
    op.execute(sa.delete(ledger).where(ledger.c.kind != "usage"))
    for name in ("refunds", *PRICED):
        op.drop_column("usage_hourly", name)
    _refill(FIGURES)
    with op.batch_alter_table("token_usage") as entries:
        for name in NEW_INDEXES:
            entries.drop_index(name)
        entries.create_unique_constraint(op.f("uq_token_usage_attempt_id"), ["attempt_id"])
        entries.drop_constraint(op.f("uq_token_usage_attempt_id_kind"), type_="unique")
        for name in ("kind", *PRICED, "reason"):
            entries.drop_column(name)


def _priced_entries() -> sa.Update:
    """By the tariffs that priced the entries."""
    entry, price = ledger.c, tariffs.c
    at_peak = entry.peak == 1
    miss, output = (sa.case((at_peak, price[f"peak_{kind}"]), else_=price[kind]) for kind in ("input_miss", "output"))
    uncached = entry.prompt_tokens * miss + entry.completion_tokens * output
    missed = entry.prompt_tokens - entry.cached_tokens
    usual = entry.cached_tokens * price.input_hit + missed * price.input_miss + entry.completion_tokens * price.output
    values = {
        "cache_saved_micros": _rounded(uncached) - entry.cost_micros,
        "peak_extra_micros": sa.case((at_peak, entry.cost_micros - _rounded(usual)), else_=0),
    }
    of_its_tariff = price.id == entry.tariff_id
    known = sa.exists(sa.select(price.id).where(of_its_tariff))
    found = {name: sa.select(value).where(of_its_tariff).scalar_subquery() for name, value in values.items()}
    return sa.update(ledger).where(entry.cost_micros.is_not(None), known).values(found)


def _rounded(exact: Any) -> Any:
    return (2 * exact + PRICED_TOKENS) // (2 * PRICED_TOKENS)


def _refill(figures: tuple[str, ...]) -> None:
    """From the ledger as it is. What an older version settles meanwhile is added by `flask usage rebuild`."""
    op.execute(sa.delete(rollup))
    _insert(_detail(figures), figures)
    for name, dimensions, source, blocks in SLICES:
        block = (rollup.c.block // blocks).label("block")
        kept = [rollup.c[column] for column in dimensions]
        unused = {column: sa.literal(value) for column, value in UNUSED.items()}
        key = [rollup.c[column] if column in dimensions else unused[column].label(column) for column in UNUSED]
        sums = (sa.func.sum(rollup.c[figure]).label(figure) for figure in figures)
        added = sa.select(sa.literal(name).label("slice"), block, *key, *sums).where(rollup.c.slice == source)
        _insert(added.group_by(rollup.c.block // blocks, *kept), figures)


def _detail(figures: tuple[str, ...]) -> sa.Select[Any]:
    entry = ledger.c
    key = {
        "block": entry.quarter,
        "user_id": entry.user_id,
        "model": entry.model,
        "key_id": sa.func.coalesce(entry.key_id, ""),
        "channel": entry.channel,
        "currency": sa.func.coalesce(entry.currency, ""),
        "peak": sa.func.coalesce(entry.peak, -1),
    }
    unpriced = sa.and_(entry.cost_micros.is_(None), entry.key_id.is_not(None))
    special = {
        "requests": sa.func.count(),
        "estimated_requests": sa.func.sum(sa.case((entry.source == "estimated", 1), else_=0)),
        "unpriced_requests": sa.func.sum(sa.case((unpriced, 1), else_=0)),
        "cost_micros": sa.func.coalesce(sa.func.sum(entry.cost_micros), 0),
        "begun_requests": sa.func.count(entry.first_token_ms),
        "first_token_ms": sa.func.coalesce(sa.func.sum(entry.first_token_ms), 0),
    }
    sums = (special[name] if name in special else sa.func.sum(entry[name]) for name in figures)
    columns = (column.label(name) for name, column in key.items())
    return sa.select(sa.literal("detail").label("slice"), *columns, *sums).group_by(*key.values())


def _insert(rows: sa.Select[Any], figures: tuple[str, ...]) -> None:
    op.execute(sa.insert(rollup).from_select(["slice", "block", *UNUSED, *figures], rows))


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, sa.Integer) for column in columns))


rollup = _table("usage_hourly", "slice", "block", *UNUSED, *FIGURES, *PRICED)
ledger = _table(
    "token_usage",
    *(*UNUSED, *FIGURES[1:5], *FIGURES[7:9], "first_token_ms", "quarter", "source", "kind", "tariff_id", *PRICED),
)
tariffs = _table("tariffs", "id", "input_hit", "input_miss", "output", "peak_input_miss", "peak_output")
