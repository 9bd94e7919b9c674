"""A code is redeemed once in all, whatever happens in the same moment."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import AppError, Conflict, TooMany
from flask_app.models import AuditEntry, Budget, CodeBatch, RedeemCode, TopUp, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, code_admin_service, code_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.code_admin_service import Terms
from flask_app.services.sign_in import login_limits
from tests.conftest import MakeUser
from tests.support import limits
from tests.support.together import at_once

NOBODY_ADDRESS = "192.0.2.1"


def make(count: int = 1, amount: int = 1000, unit: str = "tokens") -> list[str]:
    return code_admin_service.make(Actor(None), Terms(label="flyers", count=count, unit=unit, amount=amount)).codes


def redeem(user: User, code: str, address: str = NOBODY_ADDRESS) -> code_service.Redeemed:
    return code_service.redeem(Actor(user, address), user, code)


def with_balance(person: User) -> User:
    limits.balance(person)
    return person


def sums() -> tuple[int, int]:
    """What all balances were topped up to, and what all top-ups are."""
    with reading() as session:
        amounts = [
            session.scalar(select(func.coalesce(func.sum(column), 0))) for column in (Budget.amount, TopUp.amount)
        ]
    return int(amounts[0] or 0), int(amounts[1] or 0)


def test_whether_somebody_could_use_a_code_is_known(make_user: MakeUser) -> None:
    person, other = make_user("person"), make_user("other")
    make(unit="CNY")
    for scope, scope_id in (("site", ""), ("group", person.group_id)):
        place = Place(scope=scope, scope_id=scope_id, unit="CNY", period="prepaid")
        budget_admin_service.add(Actor(None), place, 0)
    limits.balance(person)
    limits.limit(1000, scope="user", scope_id=person.id)
    assert not code_service.can_redeem(person), "there is no code in tokens"
    make()
    assert code_service.can_redeem(person)
    assert not code_service.can_redeem(other)


@pytest.mark.parametrize("others", [[], ["CNY"]], ids=str)
def test_a_code_makes_nobody_a_limit(make_user: MakeUser, others: list[str]) -> None:
    """It stays good, and is no guess."""
    person, (code,) = make_user("person"), make()
    for unit in others:
        limits.balance(person, unit)
    before = sums()
    for _ in range(12):
        with pytest.raises(Conflict, match="code_without_balance"):
            redeem(person, code)
    assert sums() == before
    assert code_admin_service.listed().batches[0].states["open"] == 1
    limits.balance(person)
    assert redeem(person, code).balance.left == 1000


def test_two_people_at_the_same_instant_one_wins(make_user: MakeUser) -> None:
    people = [with_balance(make_user(name)) for name in "abcdefgh"]
    (code,) = make()
    outcomes = Counter(
        outcome.code if isinstance(outcome, AppError) else type(outcome).__name__
        for outcome in at_once(8, lambda number: redeem(people[number], code))
    )
    assert outcomes == {"Redeemed": 1, "code_redeemed": 7}
    assert sums() == (1000, 1000)


def test_one_person_redeems_many_codes_at_once(make_user: MakeUser) -> None:
    person, codes = with_balance(make_user("person")), make(8)
    outcomes = at_once(8, lambda number: redeem(person, codes[number]))
    assert {type(outcome).__name__ for outcome in outcomes} == {"Redeemed"}
    assert sums() == (8000, 8000)
    with reading() as session:
        assert len(session.scalars(select(Budget)).all()) == 1


def test_a_code_is_redeemed_or_revoked(make_user: MakeUser) -> None:
    person = with_balance(make_user("person"))
    made = code_admin_service.make(Actor(None), Terms(label="flyers", count=6, unit="tokens", amount=1000))

    def act(number: int) -> object:
        if number == 3:
            return code_admin_service.revoke_batch(Actor(None), made.listed.batch.id)
        return redeem(person, made.codes[number])

    outcomes = at_once(6, act)
    assert {type(outcome) for outcome in outcomes} <= {code_service.Redeemed, Conflict, code_admin_service.Listed}
    redeemed = sum(isinstance(outcome, code_service.Redeemed) for outcome in outcomes)
    (listed,) = code_admin_service.listed().batches
    assert listed.states == {"open": 0, "redeemed": redeemed, "revoked": 6 - redeemed, "expired": 0}
    assert sums() == (1000 * redeemed, 1000 * redeemed)


def test_the_balance_of_the_same_unit_is_topped_up(make_user: MakeUser) -> None:
    person = make_user("person")
    there, _ = limits.balance(person, amount=500), limits.balance(person, "CNY")
    first = redeem(person, make()[0])
    assert (first.balance.id, first.balance.limit, first.amount) == (there, 1500, 1000)
    money = redeem(person, make(unit="CNY", amount=5_000_000)[0])
    assert (money.balance.unit, money.balance.left) == ("CNY", 5_000_000)


def test_a_code_that_would_be_too_much_stays_good(make_user: MakeUser) -> None:
    person = make_user("person")
    place = Place(scope="user", scope_id=person.id, period="prepaid")
    budget_admin_service.add(Actor(None), place, 10**15, reason="paid")
    (code,) = make()
    with pytest.raises(AppError, match="bad_top_up"):
        redeem(person, code)
    assert code_admin_service.listed().batches[0].states["open"] == 1
    redeem(with_balance(make_user("other")), code)


def test_what_a_code_is_no_longer_good_for_is_said(make_user: MakeUser) -> None:
    person = with_balance(make_user("person"))
    used, revoked = make(2)
    redeem(person, used)
    code_admin_service.revoke_batch(Actor(None), code_admin_service.listed().batches[0].batch.id)
    (expired,) = make()
    with transaction() as session:
        newest = code_admin_service.listed().batches[0].batch.id
        session.execute(
            update(CodeBatch).where(CodeBatch.id == newest).values(expires_at=utc_now() - timedelta(seconds=1))
        )
    for code, words in ((used, "code_redeemed"), (revoked, "code_revoked"), (expired, "code_expired")):
        with pytest.raises(AppError, match=words):
            redeem(person, code)
    assert sums() == (1000, 1000)


def test_who_guesses_has_to_wait_and_others_do_not(make_user: MakeUser) -> None:
    guesser, other, (code,) = make_user("guesser"), with_balance(make_user("other")), make()
    for _ in range(10):
        with pytest.raises(AppError, match="code_unknown"):
            redeem(guesser, "0000-0000-0000-0000")
    with pytest.raises(TooMany):
        redeem(guesser, code, "192.0.2.77")
    redeem(other, code)
    login_limits.forget()


def test_a_code_is_stored_nowhere(make_user: MakeUser) -> None:
    person, (code,) = with_balance(make_user("person")), make()
    redeem(person, code)
    plain = code.replace("-", "")
    with reading() as session:
        rows = [
            *session.scalars(select(RedeemCode)),
            *session.scalars(select(TopUp)),
            *session.scalars(select(AuditEntry)),
        ]
        assert len(rows) == 5
        for row in rows:
            assert code not in repr(vars(row))
            assert plain not in repr(vars(row))
        assert session.scalars(select(RedeemCode.hint)).one() == plain[:4]
