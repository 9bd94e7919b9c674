"""The account that the sequences of budgets keep beside the application: what was asked for, and what may be used."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select

from flask_app.domain import budget
from flask_app.domain.budget import TOKENS, Days
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.errors import BudgetExhausted
from flask_app.models import TokenUsage
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.completion.attempts import Dispatched
from tests.support import price_account
from tests.support.price_account import Quote

T = TypeVar("T")


@dataclass
class Booked:
    """An attempt: whose, of which day, what each model with a price cost then, and what counts for it by unit.

    `beyond` is how much of that its provider counted past what was reserved; `passed`: it once did.
    """

    sent: Dispatched
    quotes: dict[str, Quote]
    amounts: dict[str, int]
    beyond: dict[str, int] = field(default_factory=dict)
    live: bool = True
    passed: bool = False

    @property
    def entry(self) -> Any:
        return select(TokenUsage).where(TokenUsage.attempt_id == self.sent.attempt_id)

    def quote_of(self, actual: str | None) -> Quote | None:
        """The price of the model that answered, else of the one that was asked for."""
        return self.quotes.get(actual or "") or self.quotes.get(self.sent.call.model)

    def may_cost_more(self, actual: str | None) -> bool:
        """Has another model with a price answered in its place? For one without a price the dearest is held."""
        asked = self.sent.call.model
        return actual != asked and actual in self.quotes and asked in self.quotes

    def settle(self, entry: TokenUsage) -> None:
        """Take over what was booked."""
        settled = {TOKENS: entry.prompt_tokens + entry.completion_tokens}
        if quote := self.quote_of(entry.actual_model):
            used = Usage(entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
            settled[self.sent.call.currency] = quote.cost(used)
        money = settled.get(self.sent.call.currency)
        told = (entry.tariff_id, entry.peak, entry.currency, entry.cost_micros)
        named = (quote.tariff_id, quote.peak, self.sent.call.currency, money) if quote else (None,) * 4
        assert told == named
        assert all(amount >= 0 for amount in settled.values())
        self.beyond = {unit: max(amount - self.amounts[unit], 0) for unit, amount in settled.items()}
        self.live, self.amounts, self.passed = False, settled, any(self.beyond.values())

    def end(self) -> None:
        """Nothing of it counts any more."""
        self.live, self.amounts, self.beyond = False, {}, {}

    def counts_for(self, place: Place, user_id: str, days: Days, *, reserved: bool = False) -> int:
        """Tokens or micro-units; as much of them as was `reserved`, or all."""
        amount = self.amounts.get(place.unit, 0)  # sequences ask this more often than anything else
        day = self.sent.hold.day
        if not amount or day is None or not days.first <= day <= days.last or not self._is_of(place, user_id):
            return 0
        return amount - (self.beyond.get(place.unit, 0) if reserved else 0)

    def _is_of(self, place: Place, user_id: str) -> bool:
        if place.scope == "site":
            return True
        if place.scope == "member":
            return self.sent.call.user_id == user_id
        whose = {"group": self.sent.hold.group_id, "user": self.sent.call.user_id, "token": self.sent.call.token_id}
        return whose[place.scope] == place.scope_id


@dataclass
class Limit:
    """A budget, and how high each of its periods may stand: the limit, or what stood there when it was set.

    What was settled `before` a balance was made does not count, nor what of it had been reserved (`reserved_before`).
    What providers had counted beyond that, by attempt (`beyond_before`), comes back with the rest where it is refunded.
    """

    place: Place
    amount: int
    hard: bool
    before: int = 0
    reserved_before: int = 0
    beyond_before: dict[str, int] = field(default_factory=dict)
    ceilings: dict[tuple[date, str], int] = field(default_factory=dict)


def most_of(quotes: dict[str, Quote], model: str) -> Prices | None:
    """What is reserved at: the model's price, or what the dearest costs, which may answer in its place."""
    return quotes[model].prices if model in quotes else price_account.dearest(quotes.values())


def longest(rooms: list[tuple[Limit, int]], currency: str, prices: Prices | None, prompt: int, answer: int) -> int:
    """As many tokens of the answer as every budget that is concerned has room for after the prompt."""
    for limit, left in rooms:
        if limit.place.unit == TOKENS:
            answer = min(answer, left - prompt)
        elif limit.place.unit == currency and prices and prices.output:
            rest = (left - prices.request) * price_account.PER - prompt * max(prices.input_hit, prices.input_miss)
            answer = min(answer, rest // prices.output)
    return answer


def is_short(
    rooms: list[tuple[Limit, int]],
    refusal: BudgetExhausted,
    prices: Prices | None,
    prompt: int,
    shortest: int = budget.MIN_ANSWER,
) -> bool:
    """Has the budget that is named less than the least answer needs?"""
    told = refusal.params
    for limit, left in rooms:
        if (limit.place.scope, limit.place.period, limit.place.unit) != (told["scope"], told["period"], told["unit"]):
            continue
        if limit.place.unit == TOKENS:
            return left < prompt + shortest
        if prices is None:  # it cannot be told what it will cost
            return left <= 0
        least = prompt * max(prices.input_hit, prices.input_miss) + shortest * prices.output
        return (left - prices.request) * price_account.PER < least
    return False


def unless_refused(act: Callable[[], Dispatched]) -> Dispatched | BudgetExhausted:
    try:
        return act()
    except BudgetExhausted as refusal:
        return refusal


def one_of(among: list[T], which: int) -> T | None:
    return among[which % len(among)] if among else None
