"""However many ask at once, in however many processes: exactly as many are let through as fit."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from flask_app.database import utc_now, writing
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services import budget_admin_service, budget_service, metering_service, token_budget_service
from flask_app.services.attempts import Bounds
from flask_app.services.audit_service import Actor
from flask_app.services.budget_admin_service import Listed, Place
from flask_app.services.token_budget_service import Cap
from tests.conftest import MakeUser
from tests.support import calls, gateway
from tests.support.budget_race import BOUNDS, EACH
from tests.support.storage import ROOT
from tests.support.together import at_once

CALLERS, FIT = 200, 100


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
    command = [sys.executable, "-m", "tests.support.budget_race", database_url, str(time.time() + 3), str(CALLERS)]
    racers = [subprocess.Popen([*command, *askers], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outcomes: Counter[str] = Counter()
    for racer in racers:
        outcomes.update(json.loads(racer.communicate(timeout=120)[0]))
    assert outcomes == {"granted": FIT, "refused": 2 * CALLERS - FIT}
    with writing() as connection:
        (standing,) = budget_service.standings(connection, [made.standing.id], utc_now()).values()
    assert (standing.spent, standing.reserved) == (0, FIT * EACH)


def test_a_tokens_limit_waits_for_requests_that_began_without_it(make_user: MakeUser) -> None:
    person = make_user("person")
    token_id, limited = gateway.made(person).token.id, []

    def limit() -> None:
        cap = Cap(unit="tokens", period="day", limit=1000)
        limited.append(token_budget_service.put(Actor(person), token_id, cap))

    owner = threading.Thread(target=limit)
    with writing() as connection:
        budget_service.take_turn(connection, person.id)
        call = calls.call_of(person.id, token_id=token_id)
        metering_service.dispatch(connection, call, "key", Bounds(prompt=100, answer=600))
        owner.start()
        owner.join(0.5)
        assert owner.is_alive()
    owner.join()
    assert limited[0].reserved == 700


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
