"""A budget holds for whoever joins in the very moment that it is made: one of the two waits for the other."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext

from flask_app.database import engine, fetching, reading, transaction, utc_now, writer
from flask_app.models import DEFAULT_GROUP_ID, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.completion.attempts import Bounds
from flask_app.services.people import group_deletion, group_service, user_admin_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser
from tests.support import calls
from tests.support.brokers import wait_until
from tests.support.together import at_once

HOUSE = Actor(None)
LIMIT = 1000
TOO_MUCH = Bounds(prompt=LIMIT, answer=5000)


@dataclass
class Joining:
    """Somebody who joins a group, which has a budget soon."""

    group_id: str
    place: Place
    join: Callable[[], str]


def new_group(name: str) -> str:
    return group_service.add(HOUSE, Choices(name=name)).group.id


def added(group_id: str) -> str:
    return user_admin_service.add(HOUSE, "new", "member", group_id=group_id).user.id


@pytest.fixture(
    params=[
        ("group", "moved"),
        ("group", "added"),
        ("member", "moved"),
        ("site", "added"),
        ("site", "added to the default group"),
        ("group", "left over"),
    ],
    ids=" ".join,
)
def joining(make_user: MakeUser, request: pytest.FixtureRequest) -> Joining:
    scope, how = request.param
    group_id, person = new_group("readers"), make_user("person").id
    if how == "added to the default group":
        group_id = DEFAULT_GROUP_ID
    elif how == "left over":
        group_id, gone = DEFAULT_GROUP_ID, group_id
        user_admin_service.change(HOUSE, person, group_id=gone)

    def move() -> str:
        return user_admin_service.change(HOUSE, person, group_id=group_id).user.id

    def leave_over() -> str:
        group_deletion.delete(HOUSE, gone)
        return person

    place = Place(scope=scope, scope_id="" if scope == "site" else group_id, period="day")
    return Joining(group_id, place, {"moved": move, "left over": leave_over}.get(how, lambda: added(group_id)))


@pytest.mark.each_case
def test_who_joins_waits_for_a_budget_that_is_being_made(joining: Joining) -> None:
    """Else they could ask as if there were none, and be committed after it."""
    joined: list[str] = []
    person = threading.Thread(target=lambda: joined.append(joining.join()))
    with transaction() as session:
        made = budget_admin_service.make(session, joining.place, LIMIT)
        person.start()
        person.join(0.5)
        assert person.is_alive()
    person.join()
    with pytest.raises(Exception, match="budget_exhausted"):
        calls.dispatch(calls.call_of(joined[0]), TOO_MUCH)
    assert reserved(made.id) == 0


@pytest.mark.each_case
def test_a_budget_waits_for_who_is_joining(joining: Joining) -> None:
    made: list[str] = []

    def limit() -> None:
        made.append(budget_admin_service.add(HOUSE, joining.place, LIMIT).standing.id)

    administrator = threading.Thread(target=limit)
    with transaction() as session:
        group_service.chosen(session, joining.group_id)
        administrator.start()
        administrator.join(0.5)
        assert administrator.is_alive()
    administrator.join()
    assert reserved(made[0]) == 0


def test_many_who_join_ask_and_make_budgets_at_once_all_get_through(make_user: MakeUser) -> None:
    """Locks are taken in one order: nobody is broken off."""
    people = [make_user(f"person {number}") for number in range(8)]
    groups = [DEFAULT_GROUP_ID, *(new_group(f"group {number}") for number in range(3))]

    def act(number: int) -> None:
        kind, turn = number % 4, number // 4
        if kind == 0:
            user_admin_service.change(HOUSE, people[turn].id, group_id=groups[turn % 4])
        elif kind == 1:
            user_admin_service.add(HOUSE, f"new {turn}", "member", group_id=groups[turn % 4])
        elif kind == 2:
            calls.settle(calls.dispatch(calls.call_of(people[turn].id), Bounds(prompt=9, answer=300)), 9, 300)
        else:
            scope, scope_id = ("site", "") if turn % 2 else ("group", groups[turn % 4])
            unit, period = ("tokens", "CNY")[turn // 4], ("day", "week")[turn // 2 % 2]
            budget_admin_service.add(HOUSE, Place(scope=scope, scope_id=scope_id, unit=unit, period=period), 10**9)

    outcomes = at_once(4 * len(people), act)
    assert Counter(outcomes) == {None: 4 * len(people)}, outcomes


@pytest.mark.parametrize("change", [{"role": "admin"}, {"disabled": True}], ids=str)
def test_who_changes_a_person_and_who_makes_a_budget_take_turns_in_one_order(
    make_user: MakeUser, change: dict[str, Any]
) -> None:
    """Also where the person was here before the administrators, and nobody moves: nothing is broken off."""
    person, administrator = make_user("person"), make_user("boss", "owner", id="7" + "z" * 25)
    assert person.id < administrator.id
    if engine().dialect.name == "sqlite":
        pytest.skip("it has one writer")
    place = Place(scope="site", period="day")
    budget = threading.Thread(target=lambda: budget_admin_service.add(HOUSE, place, LIMIT))
    failures: list[object] = []

    def make_a_budget_meanwhile(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE users") and budget.ident is None:
            budget.start()
            wait_until(somebody_waits)

    def note(failure: ExceptionContext) -> None:
        failures.append(failure.original_exception)

    event.listen(writer(), "before_cursor_execute", make_a_budget_meanwhile)
    event.listen(writer(), "handle_error", note)
    try:
        user_admin_service.change(Actor(administrator), person.id, **change)
        assert budget.ident, "or nothing was made meanwhile"
        budget.join()
    finally:
        event.remove(writer(), "before_cursor_execute", make_a_budget_meanwhile)
        event.remove(writer(), "handle_error", note)
    assert failures == []


def somebody_waits() -> bool:
    with fetching() as connection:
        (_, waiting) = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")).one()
        return int(waiting) > 0


def reserved(budget_id: str) -> int:
    with reading() as session:
        return budget_service.standings(session.connection(), [budget_id], utc_now())[budget_id].reserved


def test_nobody_joins_a_group_that_is_not_there(admin: User, member: User) -> None:
    for actor in (HOUSE, Actor(admin)):
        with pytest.raises(Exception, match="unknown_group"):
            user_admin_service.change(actor, member.id, group_id="x")
