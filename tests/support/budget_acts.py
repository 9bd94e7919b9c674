"""Acts on budgets that meet one another in any order: who asks, what providers report, prices, people and time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from flask_app import config
from flask_app.database import in_transaction, in_writing, reading
from flask_app.domain import budget
from flask_app.domain.budget import TOKENS
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.errors import BudgetExhausted
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Bounds, Outcome
from flask_app.services.ledger import metering_service, refund_service
from flask_app.services.people import user_admin_service
from flask_app.services.runs import reaper_service
from tests.support import calls
from tests.support.acting import Acting, act
from tests.support.budget_account import Booked, Limit, is_short, longest, most_of, one_of, unless_refused
from tests.support.price_account import Hours, PriceList

WHICH = st.integers(0, 50)
PRICED, DEARER, UNPRICED = "deepseek-flash", "deepseek-v4-pro", "without a price"
SEARCH = "deepseek-search"  # priced by the request
MODELS = st.sampled_from([PRICED, PRICED, DEARER, UNPRICED])
CURRENCIES = ("CNY", "USD")
CURRENCY = st.sampled_from([CURRENCIES[0], *CURRENCIES])
PRICE = st.integers(0, 10_000_000)
REQUEST = st.sampled_from([0, 0, 0, 1, 700, 5_000])
PRICES = st.builds(Prices, PRICE, PRICE, PRICE, REQUEST)
PEAK_HOURS = (
    Hours("Asia/Shanghai", (0, 1, 2, 3, 4), 9, 18),
    Hours("America/New_York", (0, 1, 2, 3, 4, 5, 6), 0, 3),  # summer time begins and ends within them
    Hours("Asia/Kathmandu", (5, 6), 0, 24),
)
# Of the site: without summer time, with, with one that changes at midnight, and by half an hour.
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "America/Havana", "Australia/Lord_Howe")
# A Wednesday, and evenings before clocks are changed somewhere.
STARTS = (
    datetime(2026, 11, 25, 12, tzinfo=UTC),
    datetime(2026, 3, 7, 20, tzinfo=UTC),
    datetime(2026, 3, 28, 20, tzinfo=UTC),
    datetime(2026, 10, 3, 10, tzinfo=UTC),
    datetime(2026, 10, 24, 20, tzinfo=UTC),
    datetime(2026, 10, 31, 20, tzinfo=UTC),
)
# Tokens that a provider counts beyond what it was asked for.
MORE = st.sampled_from([0, 0, 0, 0, 0, 1, 300, 50_000])
ACTOR = Actor(None)


@dataclass
class Scene:
    """Where it happens: people with an access token each, groups, a provider for each currency. Nothing is priced."""

    people: list[User]
    tokens: dict[str, str]
    groups: list[str]
    providers: dict[str, str]


class Acts(Acting):
    """`place` makes a fresh scene."""

    place: Callable[[], Scene]

    def __init__(self) -> None:
        super().__init__()
        self.at = self.place()
        self.now = STARTS[0]
        self.prices = PriceList()
        self.booked: list[Booked] = []
        self.limits: dict[str, Limit] = {}
        self.turn = 0
        self.group_of = {person.id: person.group_id for person in self.at.people}

    @initialize(zone=st.sampled_from(ZONES), start=st.sampled_from(STARTS), priced=st.sampled_from([True, True, False]))
    def begin(self, zone: str, start: datetime, priced: bool) -> None:
        config.install(replace(config.current(), site_timezone=zone))
        self.now = start
        if priced:
            usual, dear = Prices(20_000, 1_000_000, 4_000_000), Prices(150_000, 4_500_000, 13_500_000)
            for currency in CURRENCIES:
                self.prices.add(PRICED, currency, start, usual, dear, PEAK_HOURS[0])
                self.prices.add(DEARER, currency, start, dear, None, PEAK_HOURS[0])
                self.prices.add(SEARCH, currency, start, Prices(0, 0, 0, 5_000), None, PEAK_HOURS[0])

    @act(6, who=WHICH, model=MODELS, currency=CURRENCY, prompt=st.integers(1, 4000),
          answer=st.integers(budget.MIN_ANSWER, 9000), by_program=st.booleans())  # fmt: skip
    def reserve(self, who: int, model: str, currency: str, prompt: int, answer: int, by_program: bool) -> None:
        self._reserve(who, model, currency, prompt, answer, by_program=by_program)

    @act(2, who=WHICH, currency=CURRENCY)
    def search(self, who: int, currency: str) -> None:
        """It takes no tokens, and costs what a request does."""
        self._reserve(who, SEARCH, currency, 0, 0, by_program=False)

    def _reserve(self, who: int, model: str, currency: str, prompt: int, answer: int, *, by_program: bool) -> None:
        person = self.at.people[who % len(self.at.people)].id
        token_id = self.at.tokens[person] if by_program else None
        asked = {"model": model, "provider_id": self.at.providers[currency], "currency": currency}
        channel = "search" if model == SEARCH else None  # else its channel tells whose it is
        call = calls.call_of(person, **asked, prompt=prompt, token_id=token_id, channel=channel)
        rooms = list(self._rooms(person, token_id))
        quotes = self.prices.quotes(currency, self.now)
        most = most_of(quotes, model)
        sent = unless_refused(lambda: calls.dispatch(call, Bounds(prompt=prompt, answer=answer), self.now))
        if isinstance(sent, BudgetExhausted):
            assert sent.params["unit"] in {TOKENS, currency}, "money of another currency is not concerned"
            shortest = min(answer, budget.MIN_ANSWER)
            assert is_short(rooms, sent, most, prompt, shortest), "refused although there was room"
            return
        hold = sent.hold
        assert hold.answer_tokens is not None
        assert min(answer, budget.MIN_ANSWER) <= hold.answer_tokens == longest(rooms, currency, most, prompt, answer)
        assert (hold.group_id, hold.day) == (self.group_of[person], self.today)
        assert (hold.micros is None, hold.currency) == (most is None, currency if most else None)
        amounts = {TOKENS: hold.tokens or 0, currency: hold.micros or 0}
        needed = amounts | ({} if most else {currency: 1})  # what nobody can price needs something to be left
        for limit, left in rooms:
            assert left >= needed.get(limit.place.unit, left), "let in although there was no room"
        self.booked.append(Booked(sent, quotes, amounts))

    @act(3, which=WHICH, prompt=st.floats(0, 1), answer=st.floats(0, 1), cached=st.floats(0, 1), actual=MODELS,
         more=MORE, of_prompt=st.booleans())  # fmt: skip
    def settle(
        self, which: int, prompt: float, answer: float, cached: float, actual: str, more: int, of_prompt: bool
    ) -> None:
        """As the provider reports, whichever answered, also more than was asked for; a second time changes nothing."""
        if (one := self._live(which)) is None:
            return
        hold = one.sent.hold
        assert hold.tokens is not None
        assert hold.answer_tokens is not None
        used = int((hold.tokens - hold.answer_tokens) * prompt) + more * of_prompt
        written = int(hold.answer_tokens * answer) + more * (not of_prompt)
        counted = Usage(used, int(used * cached), written, 0)
        outcome = Outcome(usage=counted, text_parts=["x"], actual_model=actual)
        may_pass = more > 0 or one.may_cost_more(actual)
        self._end(one, outcome)
        assert may_pass or not one.passed
        in_writing(lambda connection: metering_service.settle(connection, one.sent, outcome))

    @act(which=WHICH, length=st.integers(0, 60_000))
    def settle_untold(self, which: int, length: int) -> None:
        """Nobody counted, and there is more text than was asked for: the estimate stays within the reservation."""
        if one := self._live(which):
            self._end(one, Outcome(text_parts=["字" * length] if length else [], actual_model=one.sent.call.model))
            assert not one.passed

    @act(which=WHICH)
    def fail(self, which: int) -> None:
        if (one := self._live(which)) is None:
            return
        in_writing(lambda c: metering_service.release(c, one.sent, error_code="upstream_failed", status_code=500))
        one.end()

    @act(which=WHICH)
    def kill(self, which: int) -> None:
        """Its worker died; the reaper books the question."""
        if (one := self._live(which)) is None:
            return
        in_transaction(lambda session: reaper_service.book_lost(session, one.sent.attempt_id))
        self._note(one)
        assert not one.passed

    @act(which=WHICH)
    def refund(self, which: int) -> None:
        """Whenever it is made, it is of the period that its answer was of: the real use of no other becomes less."""
        one = one_of([one for one in self.booked if not one.live and one.amounts], which)
        if one is None:
            return
        with reading() as session:
            entry_id = session.scalars(one.entry).one().id
        refund_service.refund(ACTOR, entry_id, "it was wrong", at=self.now)
        one.end()
        for limit in self.limits.values():
            limit.reserved_before += limit.beyond_before.pop(one.sent.attempt_id, 0)

    @act(model=st.sampled_from([PRICED, DEARER, SEARCH]), currency=CURRENCY, usual=PRICES, high=st.none() | PRICES,
          hours=st.sampled_from(PEAK_HOURS))  # fmt: skip
    def reprice(self, model: str, currency: str, usual: Prices, high: Prices | None, hours: Hours) -> None:
        """It holds from now on: what is on its way keeps the price that it began with."""
        self.now += timedelta(seconds=1)
        self.prices.add(model, currency, self.now, usual, high, hours)

    @act(minutes=st.integers(1, 24 * 60) | st.integers(1, 40 * 24 * 60))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @act(who=WHICH, to=WHICH)
    def move(self, who: int, to: int) -> None:
        person, group = self.at.people[who % len(self.at.people)], self.at.groups[to % len(self.at.groups)]
        user_admin_service.change(ACTOR, person.id, group_id=group)
        if self.group_of[person.id] != group:
            self._note_move(person.id, group)

    @property
    def today(self) -> date:
        """The site's."""
        return self.now.astimezone(ZoneInfo(config.current().site_timezone)).date()

    def _note_move(self, person: str, group: str) -> None:
        self.group_of[person] = group
        for limit in self.limits.values():  # what they used elsewhere they bring along
            if limit.place.scope == "member" and limit.place.scope_id == group:
                own = {key: stands for key, stands in self._heights(limit).items() if key[1] == person}
                limit.ceilings |= own

    def _end(self, one: Booked, outcome: Outcome) -> None:
        in_writing(lambda connection: metering_service.settle(connection, one.sent, outcome))
        self._note(one)

    def _note(self, one: Booked) -> None:
        with reading() as session:
            one.settle(session.scalars(one.entry).one())

    def _rooms(self, person: str, token_id: str | None) -> Iterator[tuple[Limit, int]]:
        """The hard budgets that a request counts against, and what is left of each."""
        for limit in self.limits.values():
            days = budget.days_of(limit.place.period, self.today)
            if limit.hard and limit.place.scope_id in {"", person, self.group_of[person], token_id}:
                stands = sum(one.counts_for(limit.place, person, days) for one in self.booked)
                yield limit, limit.amount - stands + limit.before

    def _heights(self, limit: Limit, *, reserved: bool = True) -> dict[tuple[date, str], int]:
        """How high each period stands that something counts in; for each person where the budget is each person's.

        What providers counted beyond what was `reserved` is left out, unless told otherwise.
        """
        members = [person for person, group in self.group_of.items() if group == limit.place.scope_id]
        people = members if limit.place.scope == "member" else [""]
        before = limit.reserved_before if reserved else limit.before
        heights: dict[tuple[date, str], int] = {}
        for one in self.booked:
            assert one.sent.hold.day
            days = budget.days_of(limit.place.period, one.sent.hold.day)
            for person in people:
                stands = heights.get((days.first, person), -before)
                heights[days.first, person] = stands + one.counts_for(limit.place, person, days, reserved=reserved)
        return heights

    def _live(self, which: int) -> Booked | None:
        return one_of([one for one in self.booked if one.live], which)
