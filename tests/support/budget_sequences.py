"""Sequences of what moves a budget, drawn by Hypothesis; after each, no limit is passed but by what a
provider counted beyond what was reserved, and then nobody is let in.

Beside the application stands an account of its own (`Booked`, `PriceList`), kept in this process: the database must say
the same.
"""

from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import invariant
from sqlalchemy import select

from flask_app.database import reading
from flask_app.domain import budget
from flask_app.domain.budget import PERIODS, PREPAID, SCOPES, TOKENS, TOTAL
from flask_app.errors import Conflict
from flask_app.models import DEFAULT_GROUP_ID, Budget, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service, code_admin_service, code_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.budgets.code_admin_service import Terms
from flask_app.services.ledger import usage_check_service
from flask_app.services.people import group_deletion, group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.tokens import token_service
from tests.support import gateway, ledger
from tests.support.acting import act
from tests.support.budget_account import Limit, one_of
from tests.support.budget_acts import ACTOR, CURRENCIES, WHICH, Acts

AMOUNTS = st.integers(1, 40_000)
UNITS = st.sampled_from([TOKENS, TOKENS, *CURRENCIES])


class Sequences(Acts):
    @act(2, scope=st.sampled_from(SCOPES), who=WHICH, period=st.sampled_from(PERIODS), unit=UNITS,
          amount=AMOUNTS, hard=st.sampled_from([True, True, True, False]))  # fmt: skip
    def limit(self, scope: str, who: int, period: str, unit: str, amount: int, hard: bool) -> None:
        if period == PREPAID:
            scope, hard = {"member": "group", "token": "user"}.get(scope, scope), True
        elif period == TOTAL:
            scope = "token"
        person = self.at.people[who % len(self.at.people)].id
        ids = {"site": "", "user": person, "token": self.at.tokens[person]}
        scope_id = ids.get(scope, self.at.groups[who % len(self.at.groups)])
        place = Place(scope=scope, scope_id=scope_id, unit=unit, period=period)
        try:
            made = budget_admin_service.add(ACTOR, place, amount, hard=hard, reason="first")
        except Conflict:
            assert place in [limit.place for limit in self.limits.values()]
            return
        limit = self.limits[made.standing.id] = Limit(place, amount, hard)
        if period == PREPAID:
            always = budget.days_of(PREPAID, date.min)
            ended = [one for one in self.booked if not one.live]
            for one in ended:
                settled, reserved = (one.counts_for(place, person, always, reserved=only) for only in (False, True))
                limit.before += settled
                limit.reserved_before += reserved
                limit.beyond_before[one.sent.attempt_id] = settled - reserved
        limit.ceilings = self._heights(limit)

    @act(which=WHICH, amount=AMOUNTS, hard=st.booleans())
    def change(self, which: int, amount: int, hard: bool) -> None:
        if (chosen := self._limit(which, renews=True)) is None:
            return
        budget_admin_service.change(ACTOR, chosen, limit=amount, hard=hard)
        limit = self.limits[chosen]
        limit.amount, limit.hard = amount, hard
        limit.ceilings = self._heights(limit)

    @act(which=WHICH, amount=st.integers(-30_000, 30_000).filter(bool))
    def top_up(self, which: int, amount: int) -> None:
        """What is used or reserved is never taken back."""
        if (chosen := self._limit(which, renews=False)) is None:
            return
        limit = self.limits[chosen]
        stands = sum(self._heights(limit, reserved=False).values())
        fits = amount > 0 or limit.amount + amount >= stands
        try:
            budget_admin_service.top_up(ACTOR, chosen, amount, "more or less")
        except Conflict:
            assert not fits
            return
        assert fits
        limit.amount += amount

    @act(which=WHICH)
    def lift(self, which: int) -> None:
        if chosen := self._limit(which):
            budget_admin_service.delete(ACTOR, chosen)
            del self.limits[chosen]

    @act(who=WHICH, unit=UNITS, amount=AMOUNTS, has_one=st.booleans())
    def redeem(self, who: int, unit: str, amount: int, has_one: bool) -> None:
        """A code tops up the balance that is there, and makes none."""
        person = self.at.people[who % len(self.at.people)]
        if has_one:
            self.limit("user", who, PREPAID, unit, amount, hard=True)
        (code,) = code_admin_service.make(ACTOR, Terms(label="a gift", count=1, unit=unit, amount=amount)).codes
        place = Place(scope="user", scope_id=person.id, unit=unit, period=PREPAID)
        balance = next((limit for limit in self.limits.values() if limit.place == place), None)
        try:
            code_service.redeem(Actor(person), person, code)
        except Conflict:
            assert balance is None
            return
        assert balance is not None
        balance.amount += amount

    @act()
    def end_a_group(self) -> None:
        """Its people move to the default group, its budgets go with it. Another one takes its place."""
        ended = self.at.groups[1]
        group_deletion.delete(ACTOR, ended)
        self._forget(ended)
        for person, group in self.group_of.items():
            if group == ended:
                self._note_move(person, DEFAULT_GROUP_ID)
        self.at.groups[1] = group_service.add(ACTOR, Choices(name="other")).group.id

    @act(who=WHICH)
    def revoke(self, who: int) -> None:
        """Its budget goes with the token; what was asked with it ends as ever. The person makes another one."""
        person = self.at.people[who % len(self.at.people)]
        token_service.revoke_own(Actor(person), self.at.tokens[person.id])
        self._forget(self.at.tokens[person.id])
        self.at.tokens[person.id] = gateway.made(person).token.id

    @invariant()
    def no_limit_is_passed(self) -> None:
        """But by what providers counted beyond; that after this nobody is let in, `reserve` looks after."""
        for limit in self.limits.values():
            for (first, person), stands in self._heights(limit).items():
                most = max(limit.amount, limit.ceilings.get((first, person), 0))
                assert not limit.hard or stands <= most, (limit, first, stands)

    @invariant()
    def the_database_says_the_same(self) -> None:
        """Of one person after each act, in turns, and of everybody at the end: all would take as long as the acts."""
        self.turn = (self.turn + 1) % len(self.at.people)
        self._compare(self.at.people[self.turn])

    def _compare(self, person: User) -> None:
        own = budget_service.own(User(id=person.id, group_id=self.group_of[person.id]), self.now)
        for standing in [*own, *self._of_token(self.at.tokens[person.id])]:
            limit = self.limits[standing.id]
            days = budget.days_of(standing.period, self.today)
            parts = [(one.live, one.counts_for(limit.place, person.id, days)) for one in self.booked]
            assert standing.reserved == sum(amount for live, amount in parts if live)
            assert standing.spent == sum(amount for live, amount in parts if not live) - limit.before
            assert (standing.limit, standing.hard) == (limit.amount, limit.hard)

    def teardown(self) -> None:
        """`flask usage verify` has nothing to say, but of how many entries the provider counted more."""
        for person in self.at.people:
            self._compare(person)
        assert ledger.unsound() == []
        assert usage_check_service.count_overruns() == sum(one.passed for one in self.booked)

    def _forget(self, scope_id: str) -> None:
        for budget_id in [each for each, limit in self.limits.items() if limit.place.scope_id == scope_id]:
            del self.limits[budget_id]
        with reading() as session:
            assert session.scalars(select(Budget.id).where(Budget.scope_id == scope_id)).all() == []

    def _of_token(self, token_id: str) -> list[Standing]:
        ids = [each for each, limit in self.limits.items() if limit.place.scope_id == token_id]
        with reading() as session:
            return list(budget_service.standings(session.connection(), ids, self.now).values())

    def _limit(self, which: int, *, renews: bool | None = None) -> str | None:
        kinds = {budget_id: limit.place.period != PREPAID for budget_id, limit in self.limits.items()}
        return one_of(sorted(each for each, kind in kinds.items() if renews in {None, kind}), which)
