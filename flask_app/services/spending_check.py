"""Is `spent_daily` what the ledger says, and did any provider count more than an attempt had reserved?

Ledger and counters are compared in one statement, day by day, as the roll-up is (see `rollup_differences`).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, bindparam, func, literal, or_, select, union_all
from sqlalchemy.engine import Connection

from flask_app.database import UtcDateTime, table_of
from flask_app.domain import periods
from flask_app.domain.budget import TOKENS
from flask_app.models import Attempt, TokenUsage
from flask_app.services import spending
from flask_app.services.spending import KEY, spent

DAY = timedelta(days=1)

_ledger, _attempts = table_of(TokenUsage), table_of(Attempt)
_day = bindparam("day", type_=Date())


def days(connection: Connection) -> list[date]:
    """Every day that an entry or a counter may be of."""
    moments = [connection.scalar(select(end(_ledger.c.created_at))) for end in (func.min, func.max)]
    found = [moment.date() + days for moment in moments if moment for days in (-DAY, DAY)]
    counted = [connection.scalar(select(end(spent.c.day))) for end in (func.min, func.max)]
    found += [day for day in counted if day]
    return periods.days(min(found), max(found)) if found else []


def differences(connection: Connection, day: date) -> list[dict[str, Any]]:
    """What is missing in the day's counters, or less than nothing; none normally."""
    return [dict(row) for row in connection.execute(_DIFFERENCES, _bounds(day)).mappings()]


def mend(connection: Connection, day: date) -> bool:
    """Add what is missing; False where nothing was."""
    return bool(connection.execute(_MEND[connection.dialect.name], _bounds(day)).rowcount)


def count_overruns(connection: Connection, day: date) -> int:
    """The entries of the day for which the provider counted more than was reserved: the bill is the truth."""
    return connection.scalar(_OVERRUNS, _bounds(day)) or 0


def _bounds(day: date) -> dict[str, Any]:
    """No zone's day begins or ends further than a day from UTC's."""
    midnight = datetime.combine(day, time(), UTC)
    return {"day": day, "since": midnight - DAY, "until": midnight + 2 * DAY}


_since, _until = (bindparam(name, type_=UtcDateTime()) for name in ("since", "until"))
_of_day = and_(_ledger.c.created_at >= _since, _ledger.c.created_at < _until, _ledger.c.day == _day)


def _entries(scope: str, whose: ColumnElement[str]) -> Iterator[Select[Any]]:
    """What the ledger adds to a scope's counters, in tokens and in money."""
    entry = _ledger.c
    key = (literal(scope).label("scope"), whose.label("scope_id"))
    tokens = (entry.prompt_tokens + entry.completion_tokens).label("amount")
    yield select(*key, literal(TOKENS).label("unit"), entry.day, tokens).where(_of_day, whose.is_not(None))
    priced = (_of_day, whose.is_not(None), entry.currency.is_not(None))
    yield select(*key, entry.currency.label("unit"), entry.day, entry.cost_micros.label("amount")).where(*priced)


def _comparison() -> Select[Any]:
    whose = {"site": literal(""), "group": _ledger.c.group_id, "user": _ledger.c.user_id}
    expected = [query for scope, column in whose.items() for query in _entries(scope, column)]
    written = select(*(spent.c[name] for name in KEY), (-spent.c.amount).label("amount")).where(spent.c.day == _day)
    both = union_all(*expected, written).subquery()
    key = [both.c[name] for name in KEY]
    missing = func.sum(both.c.amount)
    return select(*key, missing.label("amount")).group_by(*key).having(missing != 0)


_DIFFERENCES = _comparison()
_MEND = spending.adding(_DIFFERENCES)
_OVERRUNS = (
    select(func.count())
    .select_from(_ledger)
    .join(_attempts, _attempts.c.id == _ledger.c.attempt_id)
    .where(
        _of_day,
        or_(
            _ledger.c.prompt_tokens + _ledger.c.completion_tokens > _attempts.c.reserved_tokens,
            and_(_ledger.c.currency == _attempts.c.currency, _ledger.c.cost_micros > _attempts.c.reserved_micros),
        ),
    )
)
