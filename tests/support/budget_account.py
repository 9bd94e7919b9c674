"""The account that the sequences of budgets keep beside the application: what was asked for, and what may be used."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select

from flask_app.domain import budget
from flask_app.domain.budget import TOKENS, Days
from flask_app.domain.tariff import Prices
from flask_app.errors import BudgetExhausted
from flask_app.models import TokenUsage
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.completion.attempts import Dispatched
from flask_app.services.tariffs.tariff_service import Priced

PRICED, UNPRICED = "deepseek-flash", "without a price"

T = TypeVar("T")


@dataclass
class Booked:
    """An attempt: whose, of which day, at which price, and what counts for it by unit.

    `in_its_place` is what the model with a price cost then, which may answer for one without.
    """

    sent: Dispatched
    priced: Priced | None
    in_its_place: Priced | None
    amounts: dict[str, int]
    live: bool = True

    @property
    def entry(self) -> Any:
        return select(TokenUsage).where(TokenUsage.attempt_id == self.sent.attempt_id)

    def price_of(self, actual: str | None) -> Priced | None:
        """The price of the model that answered, else of the one that was asked for."""
        return self.in_its_place if actual == PRICED else self.priced

    def counts_for(self, place: Place, user_id: str, days: Days) -> int:
        hold, owner = self.sent.hold, self.sent.call.user_id
        whose = {
            "site": True,
            "group": hold.group_id == place.scope_id,
            "member": owner == user_id,
            "user": owner == place.scope_id,
            "token": self.sent.call.token_id == place.scope_id,
        }
        within = hold.day is not None and days.first <= hold.day <= days.last
        return self.amounts.get(place.unit, 0) if whose[place.scope] and within else 0


@dataclass
class Limit:
    """A budget, and how high each of its periods may stand: the limit, or what stood there when it was set.

    What was settled `before` a balance was made does not count.
    """

    place: Place
    amount: int
    hard: bool
    before: int = 0
    ceilings: dict[tuple[date, str], int] = field(default_factory=dict)


def is_short(rooms: list[tuple[Limit, int]], refusal: BudgetExhausted, prices: Prices | None, prompt: int) -> bool:
    """Has the budget that is named less than the least answer needs?"""
    told = refusal.params
    for limit, left in rooms:
        if (limit.place.scope, limit.place.period, limit.place.unit) != (told["scope"], told["period"], told["unit"]):
            continue
        if limit.place.unit == TOKENS:
            return left < prompt + budget.MIN_ANSWER
        assert prices, "nothing has a price: money is no reason"
        least = prompt * max(prices.input_hit, prices.input_miss) + budget.MIN_ANSWER * prices.output
        return left * 10**6 < least
    return False


def unless_refused(act: Callable[[], Dispatched]) -> Dispatched | BudgetExhausted:
    try:
        return act()
    except BudgetExhausted as refusal:
        return refusal


def one_of(among: list[T], which: int) -> T | None:
    return among[which % len(among)] if among else None
