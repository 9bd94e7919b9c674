"""Sequences of everything that moves a budget, drawn by Hypothesis; after each, no limit is passed.

Beside the application stands an account of its own (`Booked`), kept in this process: the database must say the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from flask_app.database import in_transaction, in_writing, new_id, reading, transaction
from flask_app.domain import budget
from flask_app.domain.budget import PERIODS, PREPAID, SCOPES, TOKENS, TOTAL
from flask_app.domain.events import Usage
from flask_app.domain.tariff import Prices
from flask_app.errors import BudgetExhausted, Conflict
from flask_app.models import Tariff, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.completion.attempts import Bounds, Outcome
from flask_app.services.ledger import balance_check, metering_service, refund_service, spending_check
from flask_app.services.people import user_admin_service
from flask_app.services.runs import reaper_service
from flask_app.services.tariffs import tariff_service
from flask_app.services.tariffs.tariff_service import Priced
from tests.support import calls
from tests.support.budget_account import PRICED, UNPRICED, Booked, Limit, is_short, one_of, unless_refused

WHICH = st.integers(0, 50)
MODELS = st.sampled_from([PRICED, PRICED, UNPRICED])
AMOUNTS = st.integers(1, 40_000)
PRICES = st.integers(0, 10_000_000)
ACTOR = Actor(None)


@dataclass
class Scene:
    """Where it happens: people with an access token each, groups, a provider, and the moment of the first request."""

    people: list[User]
    tokens: dict[str, str]
    groups: list[str]
    provider_id: str
    now: datetime


class Sequences(RuleBasedStateMachine):
    """`place` makes a fresh one."""

    place: Callable[[], Scene]

    def __init__(self) -> None:
        super().__init__()
        self.at = self.place()
        self.now = self.at.now
        self.booked: list[Booked] = []
        self.limits: dict[str, Limit] = {}
        self.group_of = {person.id: person.group_id for person in self.at.people}

    @rule(who=WHICH, model=MODELS, prompt=st.integers(0, 4000), answer=st.integers(budget.MIN_ANSWER, 9000),
          by_program=st.booleans())  # fmt: skip
    def reserve(self, who: int, model: str, prompt: int, answer: int, by_program: bool) -> None:
        person = self.at.people[who % len(self.at.people)].id
        token_id = self.at.tokens[person] if by_program else None
        provider_id = self.at.provider_id
        call = calls.call_of(person, model=model, provider_id=provider_id, prompt=prompt, token_id=token_id)
        rooms = self._rooms(person, token_id)
        priced = self._price(model)
        most = priced.prices if priced else self._dearest()
        sent = unless_refused(lambda: calls.dispatch(call, Bounds(prompt=prompt, answer=answer), self.now))
        if isinstance(sent, BudgetExhausted):
            assert is_short(rooms, sent, most, prompt), "refused although there was room"
            return
        hold = sent.hold
        assert hold.answer_tokens is not None
        assert budget.MIN_ANSWER <= hold.answer_tokens <= answer
        assert hold.group_id == self.group_of[person]
        assert hold.micros is not None
        in_its_place = self._price(PRICED)
        self.booked.append(Booked(sent, priced, in_its_place, {TOKENS: hold.tokens or 0, "CNY": hold.micros}))

    @rule(which=WHICH, prompt=st.floats(0, 1), answer=st.floats(0, 1), cached=st.floats(0, 1), actual=MODELS)
    def settle(self, which: int, prompt: float, answer: float, cached: float, actual: str) -> None:
        """As the provider reports, whichever answered, within what was asked for; a second time changes nothing."""
        if (one := self._live(which)) is None:
            return
        hold = one.sent.hold
        assert hold.tokens is not None
        assert hold.answer_tokens is not None
        used = int((hold.tokens - hold.answer_tokens) * prompt)
        counted = Usage(used, int(used * cached), int(hold.answer_tokens * answer), 0)
        outcome = Outcome(usage=counted, text_parts=["x"], actual_model=actual)
        self._end(one, outcome)
        in_writing(lambda c: metering_service.settle(c, one.sent, outcome))

    @rule(which=WHICH, length=st.integers(0, 60_000))
    def settle_untold(self, which: int, length: int) -> None:
        """Nobody counted, and there is more text than was asked for: the estimate stays within the reservation."""
        if one := self._live(which):
            self._end(one, Outcome(text_parts=["字" * length] if length else [], actual_model=one.sent.call.model))

    @rule(which=WHICH)
    def fail(self, which: int) -> None:
        if (one := self._live(which)) is None:
            return
        in_writing(lambda c: metering_service.release(c, one.sent, error_code="upstream_failed", status_code=500))
        one.live, one.amounts = False, {}

    @rule(which=WHICH)
    def kill(self, which: int) -> None:
        """Its worker died; the reaper books the question."""
        if (one := self._live(which)) is None:
            return
        in_transaction(lambda session: reaper_service.book_lost(session, one.sent.attempt_id))
        self._note(one)

    @rule(which=WHICH)
    def refund(self, which: int) -> None:
        """Whenever it is made, it is of the period that its answer was of: the real use of no other becomes less."""
        one = one_of([one for one in self.booked if not one.live and one.amounts], which)
        if one is None:
            return
        with reading() as session:
            entry_id = session.scalars(one.entry).one().id
        refund_service.refund(ACTOR, entry_id, "it was wrong", at=self.now)
        one.amounts = {}

    @rule(hit=PRICES, miss=PRICES, output=PRICES)
    def reprice(self, hit: int, miss: int, output: int) -> None:
        """It holds from now on: what is on its way keeps the price that it began with."""
        self.now += timedelta(seconds=1)
        prices = {"input_hit": hit, "input_miss": miss, "output": output}
        with transaction() as session:
            session.add(Tariff(id=new_id(), model=PRICED, currency="CNY", starts_at=self.now, **prices))

    @rule(hours=st.integers(1, 24 * 40))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(who=WHICH, to=WHICH)
    def move(self, who: int, to: int) -> None:
        person, group = self.at.people[who % len(self.at.people)], self.at.groups[to % len(self.at.groups)]
        user_admin_service.change(ACTOR, person.id, group_id=group)
        if self.group_of[person.id] == group:
            return
        self.group_of[person.id] = group
        for limit in self.limits.values():  # what they used elsewhere they bring along
            if limit.place.scope == "member" and limit.place.scope_id == group:
                own = {key: stands for key, stands in self._heights(limit).items() if key[1] == person.id}
                limit.ceilings |= own

    @rule(scope=st.sampled_from(SCOPES), who=WHICH, period=st.sampled_from(PERIODS), money=st.booleans(),
          amount=AMOUNTS, hard=st.sampled_from([True, True, True, False]))  # fmt: skip
    def limit(self, scope: str, who: int, period: str, money: bool, amount: int, hard: bool) -> None:
        if period == PREPAID:
            scope, hard = {"member": "group", "token": "user"}.get(scope, scope), True
        elif period == TOTAL:
            scope = "token"
        person = self.at.people[who % len(self.at.people)].id
        ids = {"site": "", "user": person, "token": self.at.tokens[person]}
        scope_id = ids.get(scope, self.at.groups[who % len(self.at.groups)])
        place = Place(scope=scope, scope_id=scope_id, unit="CNY" if money else TOKENS, period=period)
        try:
            made = budget_admin_service.add(ACTOR, place, amount, hard=hard, reason="first")
        except Conflict:
            assert place in [limit.place for limit in self.limits.values()]
            return
        limit = self.limits[made.standing.id] = Limit(place, amount, hard)
        if period == PREPAID:
            always = budget.days_of(PREPAID, date.min)
            limit.before = sum(one.counts_for(place, person, always) for one in self.booked if not one.live)
        limit.ceilings = self._heights(limit)

    @rule(which=WHICH, amount=AMOUNTS, hard=st.booleans())
    def change(self, which: int, amount: int, hard: bool) -> None:
        if (chosen := self._limit(which, renews=True)) is None:
            return
        budget_admin_service.change(ACTOR, chosen, limit=amount, hard=hard)
        limit = self.limits[chosen]
        limit.amount, limit.hard = amount, hard
        limit.ceilings = self._heights(limit)

    @rule(which=WHICH, amount=st.integers(-30_000, 30_000).filter(bool))
    def top_up(self, which: int, amount: int) -> None:
        """What is used or reserved is never taken back."""
        if (chosen := self._limit(which, renews=False)) is None:
            return
        limit = self.limits[chosen]
        stands = sum(self._heights(limit).values())
        fits = amount > 0 or limit.amount + amount >= stands
        try:
            budget_admin_service.top_up(ACTOR, chosen, amount, "more or less")
        except Conflict:
            assert not fits
            return
        assert fits
        limit.amount += amount

    @rule(which=WHICH)
    def lift(self, which: int) -> None:
        if chosen := self._limit(which):
            budget_admin_service.delete(ACTOR, chosen)
            del self.limits[chosen]

    @invariant()
    def no_limit_is_passed(self) -> None:
        for limit in self.limits.values():
            for (first, person), stands in self._heights(limit).items():
                most = max(limit.amount, limit.ceilings.get((first, person), 0))
                assert not limit.hard or stands <= most, (limit, first, stands)

    @invariant()
    def the_database_says_the_same(self) -> None:
        for person in self.at.people:
            own = budget_service.own(User(id=person.id, group_id=self.group_of[person.id]), self.now)
            for standing in [*own, *self._of_token(self.at.tokens[person.id])]:
                limit = self.limits[standing.id]
                days = budget.days_of(standing.period, budget_service.site_day(self.now))
                parts = [(one.live, one.counts_for(limit.place, person.id, days)) for one in self.booked]
                assert standing.reserved == sum(amount for live, amount in parts if live)
                assert standing.spent == sum(amount for live, amount in parts if not live) - limit.before
                assert (standing.limit, standing.hard) == (limit.amount, limit.hard)

    def teardown(self) -> None:
        with reading() as session:
            connection = session.connection()
            for days in spending_check.days(connection):
                assert spending_check.differences(connection, days) == []
                assert spending_check.count_overruns(connection, days) == 0
        assert list(balance_check.mistakes()) == []

    def _end(self, one: Booked, outcome: Outcome) -> None:
        in_writing(lambda connection: metering_service.settle(connection, one.sent, outcome))
        self._note(one)

    def _note(self, one: Booked) -> None:
        """What the ledger has for it, which is never more than was reserved."""
        with reading() as session:
            entry = session.scalars(one.entry).one()
        settled = {TOKENS: entry.prompt_tokens + entry.completion_tokens}
        if priced := one.price_of(entry.actual_model):
            used = Usage(entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
            settled["CNY"] = priced.cost(used)
        named = (priced.tariff_id, "CNY", settled["CNY"]) if priced else (None, None, None)
        assert (entry.tariff_id, entry.currency, entry.cost_micros) == named
        assert all(0 <= amount <= one.amounts[unit] for unit, amount in settled.items())
        one.live, one.amounts = False, settled

    def _rooms(self, person: str, token_id: str | None) -> list[tuple[Limit, int]]:
        """The hard budgets that a request counts against, and what is left of each."""
        found = []
        for limit in self.limits.values():
            days = budget.days_of(limit.place.period, budget_service.site_day(self.now))
            if limit.hard and limit.place.scope_id in {"", person, self.group_of[person], token_id}:
                stands = sum(one.counts_for(limit.place, person, days) for one in self.booked)
                found.append((limit, limit.amount - stands + limit.before))
        return found

    def _price(self, model: str) -> Priced | None:
        with reading() as session:
            return tariff_service.price(model, "CNY", self.now, session.connection())

    def _dearest(self) -> Prices | None:
        with reading() as session:
            return tariff_service.dearest("CNY", self.now, session.connection())

    def _heights(self, limit: Limit) -> dict[tuple[date, str], int]:
        """How high each period stands that something counts in; for each person where the budget is each person's."""
        members = [person for person, group in self.group_of.items() if group == limit.place.scope_id]
        people = members if limit.place.scope == "member" else [""]
        heights: dict[tuple[date, str], int] = {}
        for day in {one.sent.hold.day for one in self.booked if one.sent.hold.day}:
            days = budget.days_of(limit.place.period, day)
            for person in people:
                stands = sum(one.counts_for(limit.place, person, days) for one in self.booked)
                heights[days.first, person] = stands - limit.before
        return heights

    def _of_token(self, token_id: str) -> list[Standing]:
        ids = [each for each, limit in self.limits.items() if limit.place.scope_id == token_id]
        with reading() as session:
            return list(budget_service.standings(session.connection(), ids, self.now).values())

    def _live(self, which: int) -> Booked | None:
        return one_of([one for one in self.booked if one.live], which)

    def _limit(self, which: int, *, renews: bool | None = None) -> str | None:
        kinds = {budget_id: limit.place.period != PREPAID for budget_id, limit in self.limits.items()}
        return one_of(sorted(each for each, kind in kinds.items() if renews in {None, kind}), which)
