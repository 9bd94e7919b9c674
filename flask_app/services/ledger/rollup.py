"""The ledger rolled up: `usage_hourly` is written in the transactions that write the ledger, and totals are read there.

One entry goes into a row of each slice. A slice keeps some of the dimensions, in blocks of so many quarter-hours;
together they answer every question of the pages from a few ten thousand rows, whatever the ledger's length.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain.periods import QUARTERS_A_DAY, Period
from flask_app.models import UsageHourly
from flask_app.statements import Act, Prepared

UNUSED: dict[str, Any] = {"user_id": "", "model": "", "key_id": "", "channel": "", "currency": "", "peak": -1}
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

MONTH = 32 * QUARTERS_A_DAY  # blocks do not bend

rollup = table_of(UsageHourly)


@dataclass(frozen=True, slots=True)
class Slice:
    """One way to add up: blocks of `size` quarters, told apart by `dimensions`.

    `source` is the finer slice that it can be added up from; None is the ledger. A slice `by_clock`
    tells in each block the quarters of UTC's day apart, each of all the block's days together.
    """

    name: str
    size: int
    dimensions: frozenset[str]
    source: "Slice | None"
    by_clock: bool = False

    def row(self, quarter: int, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The key of an entry's row."""
        kept = {name: entry[name] if name in self.dimensions else unused for name, unused in UNUSED.items()}
        return {"slice": self.name, "block": self.block_of(quarter)} | kept

    def block_of(self, quarter: int) -> int:
        """The number of the block that a quarter is in."""
        block = quarter // self.size
        return block * QUARTERS_A_DAY + quarter % QUARTERS_A_DAY if self.by_clock else block

    def blocks_of(self, period: Period) -> Period:
        """The first of the blocks that make up the period, and the one after the last."""
        first, end = period.start // self.size, period.end // self.size
        return Period(first * QUARTERS_A_DAY, end * QUARTERS_A_DAY) if self.by_clock else Period(first, end)

    def quarter_of(self, block: int) -> int:
        """The first quarter of a block."""
        return block // QUARTERS_A_DAY * self.size if self.by_clock else block * self.size


_ALL = frozenset(UNUSED)
_OF_PERSON = frozenset({"user_id", "currency"})
DETAIL = Slice("detail", 1, _ALL, None)
DETAIL_DAY = Slice("detail_day", QUARTERS_A_DAY, _ALL, DETAIL)
DETAIL_MONTH = Slice("detail_month", MONTH, _ALL, DETAIL_DAY)
SITE_DAY = Slice("site_day", QUARTERS_A_DAY, _ALL - {"user_id"}, DETAIL_DAY)
SITE_MONTH = Slice("site_month", MONTH, SITE_DAY.dimensions, SITE_DAY)
SITE_TOTAL = Slice("site_total", QUARTERS_A_DAY, frozenset({"currency", "peak"}), SITE_DAY)
PERSON_DAY = Slice("person_day", QUARTERS_A_DAY, _OF_PERSON, DETAIL_DAY)
PERSON_MONTH = Slice("person_month", MONTH, _OF_PERSON, PERSON_DAY)
PERSON_FOUR_HOURS = Slice("person_four_hours", 16, _OF_PERSON, DETAIL)
PERSON_CLOCK = Slice("person_clock", MONTH, _OF_PERSON, DETAIL, by_clock=True)
SITE_QUARTER = Slice("site_quarter", 1, frozenset({"currency"}), DETAIL)
SITE_HOUR = Slice("site_hour", 4, frozenset({"currency"}), SITE_QUARTER)
SITE_FOUR_HOURS = Slice("site_four_hours", 16, frozenset({"currency"}), SITE_HOUR)
SITE_CLOCK = Slice("site_clock", MONTH, frozenset({"currency"}), SITE_QUARTER, by_clock=True)
SLICES = (
    DETAIL,
    DETAIL_DAY,
    DETAIL_MONTH,
    SITE_DAY,
    SITE_MONTH,
    SITE_TOTAL,
    PERSON_DAY,
    PERSON_MONTH,
    PERSON_FOUR_HOURS,
    PERSON_CLOCK,
    SITE_QUARTER,
    SITE_HOUR,
    SITE_FOUR_HOURS,
    SITE_CLOCK,
)
RETIRED = (Slice("person_hour", 4, _OF_PERSON, DETAIL),)  # written no longer


def addition(entry: Mapping[str, Any]) -> Act:
    """What adds one ledger entry, in the transaction that writes it: the statement, and the rows."""
    kept, added = dimensions(entry), figures(entry)
    return Act(_ADD, [each.row(entry["quarter"], kept) | added for each in SLICES])


def add_rows(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Add to the rows of these keys, or make them. Who adds and in which order makes no difference."""
    _ADD.run_each(connection, rows)


def adding(select: Select[Any]) -> dict[str, Any]:
    """Statements that add the rows of `select` (a row's key, then its figures), by the name of the dialect."""
    names = ("slice", "block", *UNUSED, *FIGURES)
    return _statements(lambda made: made.from_select(names, select))


def dimensions(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What tells an entry's finest row apart, in the order of UNUSED."""
    return {
        "user_id": entry["user_id"],
        "model": entry["model"],
        "key_id": entry["key_id"] or "",
        "channel": entry["channel"],
        "currency": entry["currency"] or "",
        "peak": -1 if entry["peak"] is None else int(entry["peak"]),
    }


def figures(entry: Mapping[str, Any]) -> dict[str, int]:
    """What an entry adds, in the order of FIGURES.

    A refund takes tokens and money back; the request was made all the same, and its other figures stand.
    """
    cost, first = entry["cost_micros"], entry["first_token_ms"]
    is_usage = entry["kind"] == "usage"
    return {
        "requests": int(is_usage),
        "refunds": int(not is_usage),
        "prompt_tokens": entry["prompt_tokens"],
        "cached_tokens": entry["cached_tokens"],
        "completion_tokens": entry["completion_tokens"],
        "reasoning_tokens": entry["reasoning_tokens"],
        "estimated_requests": int(is_usage and entry["source"] == "estimated"),
        "unpriced_requests": int(is_usage and cost is None and entry["key_id"] is not None),
        "cost_micros": cost or 0,
        "cache_saved_micros": entry["cache_saved_micros"],
        "peak_extra_micros": entry["peak_extra_micros"],
        "duration_ms": entry["duration_ms"],
        "begun_requests": int(first is not None),
        "first_token_ms": first or 0,
    }


def _statements(fill: Callable[[Any], Any]) -> dict[str, Any]:
    on_sqlite, on_mysql = fill(sqlite.insert(rollup)), fill(mysql.insert(rollup))
    added = {name: rollup.c[name] + on_sqlite.excluded[name] for name in FIGURES}
    on_sqlite = on_sqlite.on_conflict_do_update(index_elements=list(rollup.primary_key), set_=added)
    on_mysql = on_mysql.on_duplicate_key_update({name: rollup.c[name] + on_mysql.inserted[name] for name in FIGURES})
    return {"sqlite": on_sqlite, "mysql": on_mysql, "mariadb": on_mysql}


_ADD = Prepared(_statements(lambda insert: insert))
