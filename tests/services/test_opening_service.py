"""What each person of a group begins with: given once, to whoever is there and to whoever comes, by whichever way."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.domain.budget import TOKENS
from flask_app.errors import AppError, Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Budget, TopUp, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import (
    budget_admin_service,
    budget_service,
    code_admin_service,
    code_service,
    opening_service,
)
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.budgets.code_admin_service import Terms
from flask_app.services.budgets.opening_service import Opening
from flask_app.services.ledger import usage_check_service
from flask_app.services.people import (
    group_deletion,
    registration_admin_service,
    registration_service,
    setup_service,
    user_admin_service,
)
from flask_app.services.people.registration_service import Wanted
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import identity_accounts
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.sign_in.identity_accounts import Identity
from tests.conftest import MakeUser
from tests.support import identities, invited, ledger, limits, managing, registered
from tests.support.entrance import STRONG
from tests.support.together import at_once

HOUSE = Actor(None)
FIVE = Opening("CNY", 5_000_000)


def balances(person: User | str, unit: str = "CNY") -> list[tuple[int, int]]:
    """Of each balance of the unit: what was topped up, and what is left."""
    whose = person if isinstance(person, str) else person.id
    with reading() as session:
        theirs = (Budget.scope == "user", Budget.scope_id == whose, Budget.unit == unit, Budget.period == "prepaid")
        ids = session.scalars(select(Budget.id).where(*theirs)).all()
        found = budget_service.standings(session.connection(), ids, utc_now())
    return [(each.limit, each.left) for each in found.values()]


def details(action: str) -> list[dict[str, Any]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
        return [json.loads(entry.details) for entry in entries]


def test_everybody_of_the_group_gets_it_and_who_has_one_keeps_it(make_user: MakeUser) -> None:
    group = managing.group("readers")
    new, rich, outside = make_user("new", group_id=group), make_user("rich", group_id=group), make_user("outside")
    limits.balance(rich, "CNY", 9_000_000)
    limits.balance(new, TOKENS, 700)
    done = opening_service.put(HOUSE, group, FIVE)
    assert (done.given, opening_service.of(done.group)) == (1, FIVE)
    assert balances(new) == [(5_000_000, 5_000_000)]
    assert balances(new, TOKENS) == [(700, 700)]
    assert balances(rich) == [(9_000_000, 9_000_000)]
    assert balances(outside) == []
    with reading() as session:
        (top_up,) = session.scalars(select(TopUp).where(TopUp.reason == "opening balance"))
    assert (top_up.amount, top_up.user_id) == (5_000_000, None)
    assert details("group.opening") == [
        {
            "name": "readers",
            "before": {"opening_amount": None, "opening_unit": None},
            "after": {"opening_amount": 5_000_000, "opening_unit": "CNY"},
            "given": 1,
        }
    ]


def test_another_amount_is_for_who_comes_later_and_none_takes_nothing(make_user: MakeUser) -> None:
    group = managing.group("readers")
    first, freed = make_user("first", group_id=group), make_user("freed", group_id=group)
    opening_service.put(HOUSE, group, FIVE)
    (of_freed,) = [each for each in budget_admin_service.everything(utc_now()) if each.standing.scope_id == freed.id]
    budget_admin_service.delete(HOUSE, of_freed.standing.id)
    assert opening_service.put(HOUSE, group, Opening("CNY", 1)).given == 0
    assert balances(freed) == [], "whom an administrator has freed of it stays free"
    for where in (DEFAULT_GROUP_ID, group):
        user_admin_service.change(HOUSE, freed.id, group_id=where)
    assert balances(freed) == [(1, 1)], "who comes back comes later"
    second = managing.member(group)
    assert opening_service.put(HOUSE, group, None).given == 0
    third = managing.member(group)
    assert [balances(each) for each in (first, second, third)] == [[(5_000_000, 5_000_000)], [(1, 1)], []]
    opening_service.put(HOUSE, group, None)
    assert len(details("group.opening")) == 3, "what changes nothing leaves no trace"
    assert (opening_service.put(HOUSE, group, FIVE).given, balances(third)) == (1, [(5_000_000, 5_000_000)])


def test_what_was_used_before_does_not_count(make_user: MakeUser) -> None:
    group = managing.group("readers")
    person, mover = make_user("person", group_id=group), make_user("mover")
    within = {"day": budget_service.site_day(utc_now())}
    ledger.write([ledger.entry(each.id, utc_now(), **within) for each in (person, person, mover)])
    opening_service.put(HOUSE, group, Opening(TOKENS, 1000))
    user_admin_service.change(HOUSE, mover.id, group_id=group)
    assert balances(person, TOKENS) == balances(mover, TOKENS) == [(1000, 1000)]
    ledger.write([ledger.entry(person.id, utc_now(), **within)])
    assert balances(person, TOKENS)[0][1] < 1000
    assert list(usage_check_service.verify()) == []


def test_with_nothing_people_have_a_balance_that_codes_go_to(make_user: MakeUser) -> None:
    group = managing.group("readers")
    person = make_user("person", group_id=group)
    assert opening_service.put(HOUSE, group, Opening(TOKENS, 0)).given == 1
    assert balances(person, TOKENS) == [(0, 0)]
    with reading() as session:
        assert session.scalars(select(TopUp)).all() == []
    (code,) = code_admin_service.make(HOUSE, Terms(label="flyers", count=1, unit=TOKENS, amount=10)).codes
    assert code_service.redeem(Actor(person), person, code).balance.left == 10


def test_many_get_it_in_as_many_statements_as_one(make_user: MakeUser, query_count: Any) -> None:
    counts = []
    for size in (1, 30):
        group = managing.group(f"of {size}")
        for number in range(size):
            make_user(f"{size} {number}", group_id=group)
        with query_count() as statements:
            assert opening_service.put(HOUSE, group, FIVE).given == size
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Opening("CNY", -1), "bad_budget_limit"),
        (Opening(TOKENS, 10**15 + 1), "bad_budget_limit"),
        (Opening("cny", 5), "bad_currency"),
        (Opening("", 5), "bad_currency"),
    ],
)
def test_what_makes_no_sense_is_refused(make_user: MakeUser, wanted: Opening, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        opening_service.put(HOUSE, managing.group("readers"), wanted)
    with pytest.raises(NotFound):
        opening_service.put(HOUSE, "nowhere", FIVE)


def _by_setup(_: str) -> str:
    return setup_service.set_up(setup_service.code(), "owner", STRONG, Browser("192.0.2.1")).user.id


def _by_registration(group: str) -> str:
    registered.allow("open", group_id=group)
    wanted = Wanted(username="new", password=STRONG, email=None, locale="en", site_url="http://localhost")
    came = registration_service.register(wanted, Browser("192.0.2.1"))
    return str(came.user.id)  # type: ignore[union-attr]


def _let_in(group: str) -> str:
    waiting = registered.waiting("new")
    return registration_admin_service.accept(HOUSE, waiting.id, group).user.id


def _moved(group: str) -> str:
    person = managing.member(DEFAULT_GROUP_ID)
    user_admin_service.change(HOUSE, person.id, group_id=group)
    return person.id


def _left_over(_: str) -> str:
    group = managing.group("gone")
    person = managing.member(group)
    group_deletion.delete(HOUSE, group)
    return person.id


def _identity(group: str, groups: tuple[str, ...], key: str = "alice") -> str:
    listed = identities.provide("https://id.example.org", slug=key, groups_claim="g", groups=(("in", group),))
    identity = Identity(listed.provider, listed.terms, digest(key), key, (key,), None, groups)
    arrived = in_transaction(lambda session: identity_accounts.arrive(session, identity, "192.0.2.1"))
    if groups:
        return arrived.id
    again = Identity(listed.provider, listed.terms, digest(key), key, (key,), None, ("in",))
    return in_transaction(lambda session: identity_accounts.arrive(session, again, "192.0.2.1")).id


WAYS: dict[str, Callable[[str], str]] = {
    "made by an administrator": lambda group: managing.member(group).id,
    "moved": _moved,
    "invited": lambda group: invited.join(invited.made(group_id=group).token, "new").user.id,
    "registered": _by_registration,
    "let in": _let_in,
    "by an identity provider": lambda group: _identity(group, ("in",)),
    "moved by an identity provider": lambda group: _identity(group, ()),
}
INTO_DEFAULT: dict[str, Callable[[str], str]] = {"set up": _by_setup, "left over": _left_over}


@pytest.mark.each_case
@pytest.mark.parametrize("way", [*WAYS, *INTO_DEFAULT])
def test_whoever_comes_gets_it_once(app: object, way: str) -> None:
    group = DEFAULT_GROUP_ID if way in INTO_DEFAULT else managing.group("readers")
    opening_service.put(HOUSE, group, FIVE)
    person = (WAYS | INTO_DEFAULT)[way](group)
    assert balances(person) == [(5_000_000, 5_000_000)]
    if way == "left over":
        assert details("group.delete")[0]["given"] == 1
        return
    said = details("user.opening")
    assert [(each["unit"], each["amount"]) for each in said] == [("CNY", 5_000_000)]
    with reading() as session:
        (top_up,) = session.scalars(select(TopUp))
    assert top_up.user_id == (None if way in {"made by an administrator", "moved", "let in"} else person)


def test_a_deleted_group_leaves_word_of_it(app: object) -> None:
    group = managing.group("readers")
    opening_service.put(HOUSE, group, FIVE)
    person = managing.member(group)
    group_deletion.delete(HOUSE, group)
    (said,) = details("group.delete")
    assert (said["opening_unit"], said["opening_amount"], said["moved"]) == ("CNY", 5_000_000, 1)
    assert balances(person) == [(5_000_000, 5_000_000)]


def test_who_comes_back_keeps_what_is_left(make_user: MakeUser) -> None:
    group = managing.group("readers")
    opening_service.put(HOUSE, group, FIVE)
    person = make_user("person")
    for to in (group, DEFAULT_GROUP_ID, group):
        user_admin_service.change(HOUSE, person.id, group_id=to)
    assert balances(person) == [(5_000_000, 5_000_000)]


def test_who_moves_and_redeems_at_once_has_one_balance(make_user: MakeUser) -> None:
    group = managing.group("readers")
    opening_service.put(HOUSE, group, Opening(TOKENS, 1000))
    people = [make_user(f"person {number}") for number in range(4)]
    codes = code_admin_service.make(HOUSE, Terms(label="flyers", count=8, unit=TOKENS, amount=10)).codes

    def act(number: int) -> object:
        person = people[number % 4]
        if number < 4:
            return user_admin_service.change(HOUSE, person.id, group_id=group)
        return code_service.redeem(Actor(person), person, codes[number - 4])

    outcomes = at_once(12, act)
    kinds = Counter(each.code if isinstance(each, AppError) else type(each).__name__ for each in outcomes)
    assert kinds.keys() <= {"Person", "Redeemed", "code_without_balance"}, outcomes
    redeemed = Counter(number % 4 for number, each in enumerate(outcomes) if type(each).__name__ == "Redeemed")
    for number, person in enumerate(people):
        expected = 1000 + 10 * redeemed[number]
        assert balances(person, TOKENS) == [(expected, expected)]
    assert list(usage_check_service.verify()) == []


def test_who_comes_while_it_is_set_gets_it_once(make_user: MakeUser) -> None:
    """One of the two waits for the other; a balance that somebody else makes meanwhile is the one that there is."""
    group = managing.group("readers")
    people = [make_user(f"person {number}", group_id=group) for number in range(3)]
    movers = [make_user(f"mover {number}") for number in range(3)]

    def act(number: int) -> object:
        if number == 0:
            return opening_service.put(HOUSE, group, FIVE)
        if number < 4:
            return user_admin_service.change(HOUSE, movers[number - 1].id, group_id=group)
        place = Place(scope="user", scope_id=people[number - 4].id, unit="CNY", period="prepaid")
        return budget_admin_service.add(HOUSE, place, 7, reason="paid")

    outcomes = at_once(7, act)
    assert {getattr(each, "code", None) for each in outcomes if isinstance(each, Exception)} <= {"budget_exists"}
    assert all(isinstance(each, AppError) or not isinstance(each, Exception) for each in outcomes), outcomes
    assert [balances(each) for each in movers] == [[(5_000_000, 5_000_000)]] * 3
    for person in people:
        assert balances(person) in ([(5_000_000, 5_000_000)], [(7, 7)])


def test_a_failure_gives_nothing(make_user: MakeUser) -> None:
    group = managing.group("readers")
    opening_service.put(HOUSE, group, FIVE)
    make_user("taken")
    with pytest.raises(AppError, match="username_taken"):
        user_admin_service.add(HOUSE, "taken", "member", group_id=group)
    with transaction() as session:
        assert session.scalars(select(Budget)).all() == []
