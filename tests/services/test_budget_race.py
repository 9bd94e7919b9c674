"""However many ask at once, in however many processes: exactly as many are let through as fit."""

import threading
from collections import Counter
from collections.abc import Iterable

import pytest
from sqlalchemy import select

from flask_app.database import reading, transaction, utc_now, writing
from flask_app.models import DEFAULT_GROUP_ID, Attempt, Tariff
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Listed, Place
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import metering_service
from flask_app.services.tokens import token_budget_service
from flask_app.services.tokens.token_budget_service import Cap
from tests.conftest import MakeUser
from tests.support import calls, gateway
from tests.support.budget_race import BOUNDS, EACH
from tests.support.racing import CALLERS, raced
from tests.support.together import at_once

FIT = 100


@pytest.mark.each_case
@pytest.mark.parametrize(
    ("scope", "people", "period"),
    [
        ("site", 20, "month"),
        ("group", 20, "month"),
        ("user", 1, "month"),
        ("group", 20, "prepaid"),
        ("token", 1, "day"),
    ],
)
def test_two_processes_with_200_callers_each_spend_a_budget_for_100_calls(
    database_url: str, make_user: MakeUser, scope: str, people: int, period: str
) -> None:
    persons = [make_user(f"person {number}") for number in range(people)]
    ids = [person.id for person in persons]
    token_id = gateway.made(persons[0]).token.id
    scope_id = {"site": "", "group": DEFAULT_GROUP_ID, "user": ids[0], "token": token_id}[scope]
    askers = [f"{ids[0]}/{token_id}"] if scope == "token" else ids
    place = Place(scope=scope, scope_id=scope_id, period=period)
    made = budget_admin_service.add(Actor(None), place, FIT * EACH + EACH // 2, reason="paid")
    outcomes = raced("budget_race", database_url, *askers)
    assert outcomes == {"granted": FIT, "refused": 2 * CALLERS - FIT}
    with writing() as connection:
        (standing,) = budget_service.standings(connection, [made.standing.id], utc_now()).values()
    assert (standing.spent, standing.reserved) == (0, FIT * EACH)


def limited(calls_that_fit: int, each: int = EACH, **place: str) -> str:
    """A budget's id."""
    made = budget_admin_service.add(Actor(None), Place(period="month", **place), calls_that_fit * each + each // 2)
    return made.standing.id


def reserved(budget_ids: Iterable[str]) -> list[int]:
    with writing() as connection:
        found = budget_service.standings(connection, list(budget_ids), utc_now())
    return [found[budget_id].reserved for budget_id in budget_ids]


def held_by() -> dict[str, int]:
    """How many attempts of each person are on their way."""
    with reading() as session:
        return Counter(session.scalars(select(Attempt.user_id).where(Attempt.state == "dispatched")))


def test_each_person_of_a_group_gets_what_one_of_them_may_use(database_url: str, make_user: MakeUser) -> None:
    ids = [make_user(f"person {number}").id for number in range(2)]
    limited(FIT, scope="member", scope_id=DEFAULT_GROUP_ID)
    assert raced("budget_race", database_url, *ids) == {"granted": 2 * FIT, "refused": 2 * CALLERS - 2 * FIT}
    assert held_by() == dict.fromkeys(ids, FIT)


@pytest.mark.parametrize("scope", ["site", "user"])
def test_money_is_not_spent_twice_either(database_url: str, make_user: MakeUser, scope: str) -> None:
    prices = {"input_hit": 1, "input_miss": 1_000_000, "output": 2_000_000}
    with transaction() as session:
        session.add(Tariff(model="deepseek-flash", currency="CNY", starts_at=utc_now(), **prices))
    each = BOUNDS.prompt + 2 * BOUNDS.answer
    ids = [make_user(f"person {number}").id for number in range(20 if scope == "site" else 1)]
    budget = limited(FIT, each, scope=scope, scope_id=ids[0] if scope == "user" else "", unit="CNY")
    assert raced("budget_race", database_url, *ids) == {"granted": FIT, "refused": 2 * CALLERS - FIT}
    assert reserved([budget]) == [FIT * each]


def test_of_several_budgets_the_tightest_decides_and_the_others_hold_no_more(
    database_url: str, make_user: MakeUser
) -> None:
    person = make_user("person").id
    budgets = [
        limited(FIT + 50, scope="site", scope_id=""),
        limited(FIT, scope="group", scope_id=DEFAULT_GROUP_ID),
        limited(FIT + 20, scope="user", scope_id=person),
    ]
    assert raced("budget_race", database_url, person) == {"granted": FIT, "refused": 2 * CALLERS - FIT}
    assert reserved(budgets) == [FIT * EACH] * 3, "all of them count a call, or none"
    assert held_by() == {person: FIT}


def test_a_tokens_limit_waits_for_requests_that_began_without_it(make_user: MakeUser) -> None:
    person = make_user("person")
    token_id, kept = gateway.made(person).token.id, []

    def limit() -> None:
        cap = Cap(unit="tokens", period="day", limit=1000)
        kept.append(token_budget_service.put(Actor(person), token_id, cap))

    owner = threading.Thread(target=limit)
    with writing() as connection:
        budget_service.take_turn(connection, person.id)
        call = calls.call_of(person.id, token_id=token_id)
        metering_service.dispatch(connection, call, "key", Bounds(prompt=100, answer=600))
        owner.start()
        owner.join(0.5)
        assert owner.is_alive()
    owner.join()
    assert kept[0].reserved == 700


def test_top_ups_while_all_ask_are_spent_to_the_last_call(database_url: str, make_user: MakeUser) -> None:
    person = make_user("person").id
    balance = budget_admin_service.add(Actor(None), Place(scope="user", scope_id=person, period="prepaid"), 0)

    def act(number: int) -> None:
        if number % 2:
            calls.dispatch(calls.call_of(person), BOUNDS)
        else:
            budget_admin_service.top_up(Actor(None), balance.standing.id, EACH, "another call")

    outcomes = Counter(type(outcome).__name__ for outcome in at_once(40, act))
    with writing() as connection:
        (standing,) = budget_service.standings(connection, [balance.standing.id], utc_now()).values()
    assert outcomes["BudgetExhausted"] == 40 - outcomes["NoneType"]
    granted = outcomes["NoneType"] - 20
    assert (standing.limit, standing.reserved) == (20 * EACH, granted * EACH)


def test_what_is_left_is_taken_back_once_whoever_asks_at_the_same_time(make_user: MakeUser) -> None:
    person = make_user("person").id
    place = Place(scope="user", scope_id=person, period="prepaid")
    balance = budget_admin_service.add(Actor(None), place, EACH, reason="a call")

    def act(number: int) -> None:
        if number % 2:
            calls.dispatch(calls.call_of(person), BOUNDS)
        else:
            budget_admin_service.top_up(Actor(None), balance.standing.id, -EACH, "taken back")

    outcomes = [outcome for outcome in at_once(8, act) if outcome is None]
    assert len(outcomes) == 1


def test_a_budget_waits_for_requests_that_began_without_it(make_user: MakeUser) -> None:
    person = make_user("person")
    listed: list[Listed] = []

    def limit() -> None:
        listed.append(budget_admin_service.add(Actor(None), Place(scope="site", period="day"), 1000))

    administrator = threading.Thread(target=limit)
    with writing() as connection:
        budget_service.take_turn(connection, person.id)
        metering_service.dispatch(connection, calls.call_of(person.id), "key", Bounds(prompt=100, answer=600))
        administrator.start()
        administrator.join(0.5)
        assert administrator.is_alive()
    administrator.join()
    assert listed[0].standing.reserved == 700


def test_a_warning_that_becomes_a_limit_waits_for_requests_that_began_before(make_user: MakeUser) -> None:
    person = make_user("person")
    site = budget_admin_service.add(Actor(None), Place(scope="site", period="day"), 1000, hard=False)
    changed: list[Listed] = []

    def harden() -> None:
        changed.append(budget_admin_service.change(Actor(None), site.standing.id, hard=True))

    administrator = threading.Thread(target=harden)
    with writing() as connection:
        budget_service.take_turn(connection, person.id)
        metering_service.dispatch(connection, calls.call_of(person.id), "key", Bounds(prompt=100, answer=2000))
        administrator.start()
        administrator.join(0.5)
        assert administrator.is_alive()
    administrator.join()
    assert (changed[0].standing.hard, changed[0].standing.reserved) == (True, 2100)
