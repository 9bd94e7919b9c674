"""Where the roll-up says something else than the ledger: what is missing in a row, or too much.

Ledger and roll-up are compared in one statement, so that it sees the same transactions in both. Whoever settles
meanwhile changes both alike: a difference stays what it is until it is added to the row.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    SmallInteger,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.engine import Connection

from flask_app.column_types import UtcDateTime
from flask_app.database import table_of
from flask_app.domain.periods import QUARTERS_A_DAY, Period, moment_of
from flask_app.models import TokenUsage
from flask_app.services.ledger.rollup import FIGURES, SLICES, UNUSED, Slice, adding, rollup
from flask_app.services.queries.whole import Quotient
from flask_app.services.usage.sums import whole_sum

_ledger = table_of(TokenUsage)
_since, _until = (bindparam(name, type_=UtcDateTime()) for name in ("since", "until"))
IN_PERIOD = and_(_ledger.c.created_at >= _since, _ledger.c.created_at < _until)


def differences(connection: Connection, each: Slice, period: Period) -> list[dict[str, Any]]:
    """What is missing in the slice's rows, or less than nothing; none normally. The period is of whole blocks."""
    found = connection.execute(_DIFFERENCES[each.name], bounds(period) | _blocks(each, period)).mappings()
    return [_row(row) for row in found]


def mend(connection: Connection, each: Slice, period: Period) -> bool:
    """Add what is missing; False where nothing was."""
    statement = _MEND[each.name][connection.dialect.name]
    return bool(connection.execute(statement, bounds(period) | _blocks(each, period)).rowcount)


def bounds(period: Period) -> dict[str, Any]:
    """The parameters of IN_PERIOD."""
    return {"since": moment_of(period.start), "until": moment_of(period.end)}


def _blocks(each: Slice, period: Period) -> dict[str, int]:
    blocks, source = each.blocks_of(period), (each.source or each).blocks_of(period)
    return {"first": blocks.start, "end": blocks.end, "source_first": source.start, "source_end": source.end}


def _row(row: Any) -> dict[str, Any]:
    """MariaDB gives sums as decimals: they become integers here."""
    return {name: int(value) if name in FIGURES else value for name, value in row.items()}


def _comparison(each: Slice) -> Select[Any]:
    expected = _added_up(_from_ledger() if each.source is None else _from_slice(each, each.source))
    written = select(
        rollup.c.block,
        *(rollup.c[name] for name in UNUSED),
        *((-rollup.c[name]).label(name) for name in FIGURES),
    ).where(rollup.c.slice == each.name, rollup.c.block >= bindparam("first"), rollup.c.block < bindparam("end"))
    both = union_all(expected, written).subquery()
    key = [both.c[name] for name in ("block", *UNUSED)]
    missing = {name: func.sum(both.c[name]) for name in FIGURES}
    columns = [literal(each.name).label("slice"), *key, *(value.label(name) for name, value in missing.items())]
    return select(*columns).group_by(*key).having(or_(*(value != 0 for value in missing.values())))


def _added_up(finer: Select[Any]) -> Select[Any]:
    """Before it is put beside what is written: it becomes few rows so."""
    rows = finer.subquery().c
    key = [rows[name] for name in ("block", *UNUSED)]
    return select(*key, *(whole_sum(rows[name]).label(name) for name in FIGURES)).group_by(*key)


def _from_ledger() -> Select[Any]:
    entry = _ledger.c
    is_usage = entry.kind == "usage"
    unpriced = and_(is_usage, entry.cost_micros.is_(None), entry.key_id.is_not(None))
    dimensions = {
        "user_id": entry.user_id,
        "model": entry.model,
        "key_id": func.coalesce(entry.key_id, ""),
        "channel": entry.channel,
        "currency": func.coalesce(entry.currency, ""),
        "peak": func.coalesce(type_coerce(entry.peak, SmallInteger), -1),
    }
    figures: dict[str, ColumnElement[int]] = {
        "requests": _one_if(is_usage),
        "refunds": _one_if(~is_usage),
        "estimated_requests": _one_if(and_(is_usage, entry.source == "estimated")),
        "unpriced_requests": _one_if(unpriced),
        "cost_micros": func.coalesce(entry.cost_micros, 0),
        "begun_requests": _one_if(entry.first_token_ms.is_not(None)),
        "first_token_ms": func.coalesce(entry.first_token_ms, 0),
    }
    return select(
        entry.quarter.label("block"),
        *(dimensions[name].label(name) for name in UNUSED),
        *((figures[name] if name in figures else entry[name]).label(name) for name in FIGURES),
    ).where(IN_PERIOD)


def _from_slice(each: Slice, source: Slice) -> Select[Any]:
    dropped = {name: literal(unused) for name, unused in UNUSED.items() if name not in each.dimensions}
    block: ColumnElement[int] = Quotient(rollup.c.block, each.size // source.size)
    if each.by_clock:
        block = block * QUARTERS_A_DAY + rollup.c.block % QUARTERS_A_DAY
    return select(
        block.label("block"),
        *(dropped.get(name, rollup.c[name]).label(name) for name in UNUSED),
        *(rollup.c[name] for name in FIGURES),
    ).where(
        rollup.c.slice == source.name,
        rollup.c.block >= bindparam("source_first"),
        rollup.c.block < bindparam("source_end"),
    )


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


_DIFFERENCES = {each.name: _comparison(each) for each in SLICES}
_MEND = {each.name: adding(_DIFFERENCES[each.name]) for each in SLICES}
