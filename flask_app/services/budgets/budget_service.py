"""Budgets: settled + reserved ≤ limit at every commit, however many processes there are. The database decides.

What is reserved is the attempts that are on their way, each with the most that it may use: who settles or releases one
frees it in the same statement. Requests for the same budget take turns at its row until they are committed, so each
counts those before it. A request holds its person's row too, and who makes a budget waits for those rows: no request
that began without the budget can commit after it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, Executable, FromClause, Row, Select, and_, bindparam, literal, select
from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.database import fetching, table_of
from flask_app.domain import budget, periods
from flask_app.domain.budget import PERIODS, PREPAID, RENEWING, SCOPES, TOKENS, Allowance, Days, Hold, Worst
from flask_app.errors import BudgetExhausted
from flask_app.models import User
from flask_app.services.budgets import standing_queries
from flask_app.services.budgets.standing_queries import budgets
from flask_app.services.tariffs import tariff_service
from flask_app.services.tariffs.tariff_service import Priced
from flask_app.statements import Query, Question

HELD_SECONDS = 5  # when to come back for what answers that are being written hold

_users = table_of(User)
_ids: BindParameter[str] = bindparam("budgets", expanding=True)
_person: BindParameter[str] = bindparam("person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for: a prompt of so many tokens at most, and `answer` tokens at most.

    Nobody bills without a `currency`. `token_id` is the access token that a program asks with.
    """

    user_id: str
    model: str
    currency: str
    prompt: int
    answer: int
    token_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """What a request has set aside, and the price of its model; None where that has none.

    `allowance` is how its budgets in tokens stood before; None where none binds it.
    """

    hold: Hold
    priced: Priced | None
    allowance: Allowance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A budget, and how much of its period is spent and reserved. It begins anew at `renews_at`; a balance never does,
    nor does a limit in all.

    `full` is the limit, or what the last top-up made of a balance: what is left is much or little of that. With less
    than `least` left it is used up.
    """

    id: str
    scope: str
    scope_id: str
    unit: str
    period: str
    limit: int
    full: int
    hard: bool
    spent: int
    reserved: int
    renews_at: datetime | None
    least: int = 1

    @property
    def left(self) -> int:
        """Never less than nothing, even where the limit was lowered below what was spent."""
        return max(self.limit - self.spent - self.reserved, 0)

    @property
    def state(self) -> str:
        """One of budget.STATES. What is reserved uses nothing up: it may come back."""
        if self.limit - self.spent < self.least:
            return "exhausted"
        return "low" if self.left * budget.LOW_PART < self.full else "open"


def site_day(moment: datetime) -> date:
    """The day that a moment counts in."""
    return periods.local_day(moment, _zone())


def begins(day: date) -> datetime:
    """The moment at which a day of the site begins."""
    return periods.moment_of(periods.start_of(day, _zone()))


def take_turn(connection: Connection, user_id: str) -> None:
    """Lock the person's row: their requests come one after the other, and no budget begins to hold meanwhile.

    On SQLite whoever writes is alone anyway.
    """
    if connection.dialect.name != "sqlite":
        lock, whose = turn(user_id)
        lock.value(connection, whose)


def turn(user_id: str) -> Question:
    """What `take_turn` asks, for `statements.look_ahead`."""
    return _LOCK_PERSON, {"person": user_id}


def reserve(connection: Connection, asked: Asked, at: datetime) -> Reserved:
    """What the attempt that the same transaction writes shall hold, and its price; raises BudgetExhausted.

    The answer is as long as every budget has room for. The person's row must be locked.
    """
    asking, terms = question(asked.user_id, asked.token_id, asked.model, asked.currency, at)
    rows = asking.rows(connection, terms) or _TERMS_OF_NOBODY.rows(connection, terms)
    priced = tariff_service.of_row(rows[0], at)
    prices = priced.prices if priced else tariff_service.dearest(asked.currency, at, connection)
    worst, allowance = Worst(asked.prompt, asked.answer, prices), None
    if binding := [row for row in rows if row.budget_id]:
        connection.execute(_LOCK, {"budgets": [row.budget_id for row in binding]})
        query = standing_queries.standings_of_request(asked.user_id, binding, _days(at))
        found = _standings(connection, *query, at)
        worst, allowance = _shortened(worst, found, asked.currency, at), _allowance(found)
    hold = Hold(
        group_id=rows[0].group_id,
        day=site_day(at),
        answer_tokens=worst.answer,
        tokens=worst.tokens,
        micros=worst.micros,
        currency=asked.currency if prices else None,
    )
    return Reserved(hold, priced, allowance)


def question(user_id: str, token_id: str | None, model: str, currency: str, at: datetime) -> Question:
    """What `reserve` asks first, for `statements.look_ahead`, behind what locks the person's row."""
    whose = {"person": user_id, "token": token_id or ""}
    return _TERMS, whose | {"model": model, "currency": currency, "moment": at}


def own(actor: User, now: datetime) -> list[Standing]:
    """Every budget that the person's requests count against: their own first, the shortest period first."""
    concerned = {"whose": ["", actor.group_id, actor.id]}
    with fetching() as connection:
        found = _of_any(connection, connection.scalars(_CONCERNED, concerned).all(), actor.id, now)
        return _with_least(connection, found, now)


def standings(connection: Connection, ids: Iterable[str], now: datetime) -> dict[str, Standing]:
    """How these budgets stand, by id. One of each person of a group stands nowhere: nothing is spent."""
    found = _of_any(connection, ids, "", now)
    return {standing.id: standing for standing in _with_least(connection, found, now)}


def _with_least(connection: Connection, found: list[Standing], now: datetime) -> list[Standing]:
    in_money = any(each.hard and each.unit != TOKENS for each in found)
    costs = tariff_service.least_costs(connection, now) if in_money else {}
    return [replace(each, least=budget.least_left(each.unit, hard=each.hard, costs=costs)) for each in found]


def _of_any(connection: Connection, ids: Iterable[str], user_id: str, now: datetime) -> list[Standing]:
    if not (wanted := list(ids)):
        return []
    return _standings(connection, *standing_queries.standings(user_id, wanted, _days(now)), now)


def _days(now: datetime) -> dict[str, Days]:
    """Those of each period."""
    return {period: budget.days_of(period, site_day(now)) for period in PERIODS}


def _standings(connection: Connection, query: Executable, values: dict[str, Any], now: datetime) -> list[Standing]:
    days = _days(now)
    renewals = {period: begins(days[period].last + timedelta(days=1)) for period in RENEWING}
    found = [_standing(row, renewals.get(row.period)) for row in connection.execute(query, values)]
    return sorted(found, key=lambda each: (SCOPES.index(each.scope), PERIODS.index(each.period), each.unit))


def _standing(row: Row[Any], renews_at: datetime | None) -> Standing:
    """MariaDB gives sums as decimals: they become integers here."""
    named = {name: getattr(row, name) for name in ("id", "scope", "scope_id", "unit", "period", "hard")}
    sums = {"spent": int(row.spent) - row.spent_before, "reserved": int(row.reserved)}
    full = row.topped_to if row.period == PREPAID else row.amount
    return Standing(**named, **sums, limit=row.amount, full=full, renews_at=renews_at)


def _shortened(worst: Worst, found: Iterable[Standing], currency: str, at: datetime) -> Worst:
    """The answer as long as all these budgets allow. Money of another currency than the model's is not concerned."""
    least = min(worst.answer, budget.MIN_ANSWER)
    granted = worst
    for each in found:
        money = each.unit != TOKENS
        if money and each.unit != currency:
            continue
        left = each.limit - each.spent - each.reserved
        longest = budget.longest_answer(worst, left, money=money)
        if longest < least:
            waiting_helps = budget.longest_answer(worst, left + each.reserved, money=money) >= least
            raise _exhausted(each, at, held=waiting_helps)
        granted = replace(granted, answer=min(granted.answer, longest))
    return granted


def _allowance(found: Iterable[Standing]) -> Allowance | None:
    tightest = min((each for each in found if each.unit == TOKENS), key=lambda each: each.left, default=None)
    return None if tightest is None else Allowance(tightest.limit, tightest.left, tightest.renews_at)


def _exhausted(standing: Standing, at: datetime, *, held: bool) -> BudgetExhausted:
    renewal = standing.renews_at
    until_renewal = max(math.ceil((renewal - at).total_seconds()), 1) if renewal else None
    codes = ("budget_held", "budget_exhausted") if renewal else ("balance_held", "balance_exhausted")
    return BudgetExhausted(
        codes[0] if held else codes[1],
        retry_after=HELD_SECONDS if held else until_renewal,
        **{name: getattr(standing, name) for name in ("scope", "period", "unit", "limit", "left", "renews_at")},
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(config.current().site_timezone)


_LOCK_PERSON = Query(select(_users.c.id).where(_users.c.id == _person).with_for_update())
_LOCK = select(budgets.c.id).where(budgets.c.id.in_(_ids)).order_by(budgets.c.id).with_for_update()
_CONCERNED = select(budgets.c.id).where(budgets.c.scope_id.in_(bindparam("whose", expanding=True)))
_PLACE = tuple(budgets.c[name] for name in ("scope", "scope_id", "unit", "period"))


def _terms(whose: FromClause) -> Select[Any]:
    """A row for each budget that binds, or one without; and in each what the tariff says."""
    scopes = budgets.c.scope_id.in_(["", _users.c.group_id, _users.c.id, bindparam("token")])
    return select(_users.c.group_id, budgets.c.id.label("budget_id"), *_PLACE, *tariff_service.COLUMNS).select_from(
        whose.outerjoin(budgets, and_(scopes, budgets.c.hard)).outerjoin(
            tariff_service.tariffs, tariff_service.tariffs.c.id == tariff_service.IN_FORCE_ID
        )
    )


_TERMS = Query(_terms(_users).where(_users.c.id == _person))
# The site's budgets bind, and its prices hold, for who is not there too. It is as good for everybody, and costs servers
# a table that they make for it.
_TERMS_OF_NOBODY = Query(
    _terms(select(literal(1).label("one")).subquery("nobody").outerjoin(_users, _users.c.id == _person))
)
