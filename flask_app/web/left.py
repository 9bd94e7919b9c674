"""What is left of the budget nearest to its end, and today, as the page first shows it; `app/i18n` says it anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import g

from flask_app import config
from flask_app.i18n import translate
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.warnings import wording

LOW = 0.2  # of a budget


@dataclass(frozen=True)
class Left:
    """The line by the composer: `state` is "open", "low" or "exhausted"."""

    state: str
    words: str


def left(standings: Sequence[Standing]) -> Left | None:
    """None without budgets."""
    if not standings:
        return None
    tightest = min(standings, key=_room)
    if tightest.state == "exhausted":
        return Left(tightest.state, _exhausted(tightest))
    days = [each for each in standings if each.period == "day" and each.state != "exhausted"]
    beside = f" · {_plain(min(days, key=_room))}" if days and tightest.period != "day" else ""
    return Left(tightest.state, _left(tightest) + beside)


def _room(each: Standing) -> float:
    """One that is used up comes first; one that only warns gives way to a hard one that is low."""
    if each.hard and each.state == "exhausted":
        return -1
    return (each.left / each.full if each.full else 0) + (0 if each.hard else LOW)


def _left(each: Standing) -> str:
    if each.state != "low" or not each.reserved:
        return _plain(each)
    held = wording.amount(each.reserved, each.unit, g.locale)
    return translate(g.locale, "js.budget.left_and_held", left=_plain(each), amount=held)


def _plain(each: Standing) -> str:
    whose = translate(g.locale, f"js.budget.for_{each.scope}") if each.scope in ("group", "site") else ""
    amount = wording.amount(each.left, each.unit, g.locale)
    return translate(g.locale, f"js.budget.left_{each.period}", whose=whose, amount=amount)


def _exhausted(each: Standing) -> str:
    whose = translate(g.locale, f"js.budget.whose_{each.scope}")
    budget = translate(g.locale, f"js.budget.name_{each.period}", whose=whose)
    way = "admin" if g.user.role == "admin" else "renewing" if each.renews_at else each.scope
    help_ = translate(g.locale, f"js.budget.help_{way}")
    if each.renews_at is None:
        return translate(g.locale, "js.budget.balance_exhausted", budget=budget, help=help_)
    return translate(
        g.locale,
        "js.budget.exhausted" if each.hard else "js.budget.reached",
        budget=budget,
        limit=wording.amount(each.limit, each.unit, g.locale),
        used=wording.amount(each.spent, each.unit, g.locale),
        renewal=wording.moment(each.renews_at, g.user.timezone or config.current().site_timezone, g.locale),
        help=help_,
    )
