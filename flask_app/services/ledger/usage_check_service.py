"""`flask usage verify` and `rebuild`: is the roll-up what the ledger says, and is the ledger sound in itself?

Both go day by day, one short statement or transaction after the other, while the application runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, in_writing, table_of, transaction
from flask_app.domain.periods import QUARTERS_A_DAY, Period, quarter_of
from flask_app.domain.ranges import Days
from flask_app.models import Attempt, TokenUsage
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import balance_check, spending_check, spending_months
from flask_app.services.ledger import rollup as rollups
from flask_app.services.ledger.balance_check import Mistake
from flask_app.services.ledger.refund_service import NEGATED
from flask_app.services.ledger.rollup import FIGURES, MONTH, PERSON_MONTH, RETIRED, SLICES, UNUSED, Slice, rollup
from flask_app.services.ledger.rollup_differences import IN_PERIOD, bounds, differences, mend
from flask_app.services.ledger.used_days import used_days

DAYS_AT_ONCE = 8  # of the counters: a statement of a second

_DAY = timedelta(days=1)

_ledger, _attempts = table_of(TokenUsage), table_of(Attempt)
_KEPT = ("user_id", "group_id", "message_id", "provider_id", "key_id", "channel", "model", "currency", "tariff_id")
_MISTAKES = {
    "amount": "balance that is not its top-ups",
    "spent_before": "balance that does not begin where the ledger has it",
}
_TURN = {"slice": "rebuild", "block": 0} | UNUSED | dict.fromkeys(FIGURES, 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be. `what` is the kind, `where` the row or the entry."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class _Step:
    """What is looked at together: slices whose blocks fit into the period."""

    period: Period
    slices: tuple[Slice, ...]


def verify() -> Iterator[Finding]:
    """Everything that is wrong, nothing normally."""
    yield from _verify_days()
    for mistake in balance_check.mistakes():
        yield Finding(_MISTAKES[mistake.figure], str(mistake))
    for step in _steps():
        with fetching() as connection:
            for each in step.slices:
                for missing in differences(connection, each, step.period):
                    yield Finding(f"roll-up {each.name}", _told(missing))
            if SLICES[0] in step.slices:
                for what, query in _UNSOUND.items():
                    for found in connection.scalars(query, bounds(step.period) | _days_near(step.period)):
                        yield Finding(what, found)


def rebuild(actor: Actor) -> int:
    """Make the roll-up and the counters right, and give how many places had a mistake. The ledger is only read.

    A balance began with what the counters said: where they were wrong by then, `mend_balances` must follow.
    """
    with transaction() as session:
        audit_service.record(session, actor.user, "usage.rebuild", "usage", address=actor.address)
    places = sum(in_writing(partial(_repair, step)) for step in _steps())
    places += sum(in_writing(partial(_repair_day, day)) for day in _wrong_days())
    return places + in_writing(_repair_months)


def mend_balances(actor: Actor) -> list[Mistake]:
    """Make each balance what its top-ups and the ledger say; give those that this moved, as the audit log has them."""
    return [found for found in balance_check.mistakes() if in_transaction(partial(_mend_balance, actor, found))]


def count_entries() -> int:
    """How many entries the ledger has, as the roll-up says."""
    with fetching() as connection:
        query = select(func.sum(rollup.c.requests + rollup.c.refunds)).where(rollup.c.slice == PERSON_MONTH.name)
        return int(connection.scalar(query) or 0)


def count_overruns() -> int:
    """How many entries are of more tokens or money than their attempt had reserved."""
    found = 0
    for days in _days():
        with fetching() as connection:
            found += spending_check.count_overruns(connection, days)
    return found


def _verify_days() -> Iterator[Finding]:
    for days in _days():
        with fetching() as connection:
            yield from _counters("spent by day", spending_check.differences(connection, days))
    with fetching() as connection:
        yield from _counters("spent by month", spending_months.differences(connection))


def _counters(what: str, differences: list[dict[str, Any]]) -> Iterator[Finding]:
    for spent in differences:
        yield Finding(what, " ".join(f"{name}={value}" for name, value in spent.items()))


def _mend_balance(actor: Actor, found: Mistake, session: Session) -> bool:
    if not balance_check.mend(session.connection(), found):
        return False
    details = {"before": {found.figure: found.stands}, "after": {found.figure: found.rightly}}
    audit_service.record(session, actor.user, "budget.mend", found.balance_id, details, actor.address)
    return True


def _repair(step: _Step, connection: Connection) -> bool:
    rollups.add_rows(connection, [_TURN])  # two that repaired at once would both add what is missing
    mended = [each for each in step.slices if mend(connection, each, step.period)]
    for each in mended:
        connection.execute(_DELETE_EMPTY, _first_and_end(each, step.period))
    for each in RETIRED:
        connection.execute(_DELETE, _first_and_end(each, step.period))
    return bool(mended)


def _repair_day(day: date, connection: Connection) -> bool:
    rollups.add_rows(connection, [_TURN])
    return spending_check.mend(connection, Days(day, day))


def _repair_months(connection: Connection) -> bool:
    rollups.add_rows(connection, [_TURN])
    return spending_months.mend(connection)


def _first_and_end(each: Slice, period: Period) -> dict[str, Any]:
    blocks = each.blocks_of(period)
    return {"name": each.name, "first": blocks.start, "end": blocks.end}


def _steps() -> Iterator[_Step]:
    """Each day of UTC that has anything, and each 32 days those blocks that are made of days."""
    with fetching() as connection:
        whole = _whole_period(connection)
    if whole is None:
        return
    daily = tuple(each for each in SLICES if each.size <= QUARTERS_A_DAY)
    monthly = tuple(each for each in SLICES if each.size == MONTH)
    for month in range(whole.start // MONTH, -(-whole.end // MONTH)):
        period = Period(month * MONTH, (month + 1) * MONTH)
        yield from (_Step(day, daily) for day in used_days(period))
        yield _Step(period, monthly)


def _wrong_days() -> Iterator[date]:
    """Those that may be: nobody who writes waits while the others are looked at."""
    for days in _days():
        with fetching() as connection:
            found = spending_check.differences(connection, days)
        yield from sorted({each["day"] for each in found})


def _days() -> list[Days]:
    with fetching() as connection:
        return spending_check.days(connection, at_once=DAYS_AT_ONCE)


def _whole_period(connection: Connection) -> Period | None:
    """From the first to the last thing there is: entries, settled attempts, rows of the roll-up."""
    quarters: list[int] = []
    for column, where in ((_ledger.c.created_at, ()), (_attempts.c.created_at, (_attempts.c.state == "settled",))):
        for end in (func.min(column), func.max(column)):
            moment = connection.scalar(select(end).where(*where))
            quarters += [] if moment is None else [quarter_of(moment)]
    for each in SLICES:
        for end in (func.min(rollup.c.block), func.max(rollup.c.block)):
            block = connection.scalar(select(end).where(rollup.c.slice == each.name))
            quarters += [] if block is None else [each.quarter_of(block)]
    return Period(min(quarters), max(quarters) + 1) if quarters else None


def _days_near(period: Period) -> dict[str, Any]:
    """Every day that it is or was somewhere within the period."""
    since, until = bounds(period).values()
    return {"nearest": since.date() - _DAY, "furthest": until.date()}


def _told(missing: dict[str, Any]) -> str:
    key = " ".join(f"{name}={missing[name]}" for name in ("block", *UNUSED) if missing[name] != UNUSED.get(name))
    return f"{key}: " + ", ".join(f"{name} {-missing[name]:+}" for name in FIGURES if missing[name])


def _unsettled() -> Select[Any]:
    found = select(_ledger.c.id).outerjoin(_attempts, _attempts.c.id == _ledger.c.attempt_id)
    return found.where(IN_PERIOD, or_(_attempts.c.id.is_(None), _attempts.c.state != "settled"))


def _without_entry() -> Select[Any]:
    settled = (
        _attempts.c.state == "settled",
        _attempts.c.created_at >= bindparam("since", type_=_attempts.c.created_at.type),
        _attempts.c.created_at < bindparam("until", type_=_attempts.c.created_at.type),
    )
    its_usage = and_(_ledger.c.attempt_id == _attempts.c.id, _ledger.c.kind == "usage")
    missing = select(_attempts.c.id).outerjoin(_ledger, its_usage)
    return missing.where(*settled, _ledger.c.id.is_(None))


def _out_of_bounds() -> Select[Any]:
    entry = _ledger.c
    return select(entry.id).where(
        IN_PERIOD,
        entry.kind == "usage",
        or_(
            entry.cached_tokens < 0,
            entry.cached_tokens > entry.prompt_tokens,
            entry.reasoning_tokens < 0,
            entry.reasoning_tokens > entry.completion_tokens,
            entry.cost_micros < 0,
            entry.cost_micros.is_(None) != entry.currency.is_(None),
        ),
    )


def _not_opposite() -> Select[Any]:
    """Refunds that are not what their attempt's usage is, with the other sign.

    The token may be left to the attempt. A version from before had a refund count on the day of its own moment.
    """
    usage, refund = _ledger.alias(), _ledger.c
    used_by, given_to = (func.coalesce(each.token_id, _attempts.c.token_id, "") for each in (usage.c, refund))
    nearest, furthest = (bindparam(name, type_=refund.day.type) for name in ("nearest", "furthest"))
    same_day = or_(
        refund.day.is_not_distinct_from(usage.c.day),
        and_(usage.c.day.is_not(None), refund.day.between(nearest, furthest)),
    )
    same = (func.coalesce(usage.c[name], "") == func.coalesce(refund[name], "") for name in _KEPT)
    opposite = (func.coalesce(usage.c[name], 0) == -func.coalesce(refund[name], 0) for name in NEGATED)
    of_its_attempt = (usage.c.attempt_id == refund.attempt_id, usage.c.kind == "usage")
    its_usage = and_(*of_its_attempt, *same, *opposite, used_by == given_to, same_day)
    found = select(refund.id).outerjoin(_attempts, _attempts.c.id == refund.attempt_id).outerjoin(usage, its_usage)
    return found.where(IN_PERIOD, refund.kind != "usage", usage.c.id.is_(None))


_UNSOUND = {
    "entry whose attempt is not settled, or not there": _unsettled(),
    "settled attempt without an entry": _without_entry(),
    "refund that is not the opposite of a usage": _not_opposite(),
    "entry whose parts are more than the whole, or whose cost has no currency": _out_of_bounds(),
}
_IN_BLOCKS = (
    rollup.c.slice == bindparam("name"),
    rollup.c.block >= bindparam("first"),
    rollup.c.block < bindparam("end"),
)
_DELETE = delete(rollup).where(*_IN_BLOCKS)
_DELETE_EMPTY = _DELETE.where(*(rollup.c[name] == 0 for name in FIGURES))
