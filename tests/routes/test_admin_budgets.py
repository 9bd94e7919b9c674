"""/api/admin/budgets: set, changed, deleted, with a trace; by administrators alone."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, utc_now
from flask_app.domain.budget import MIN_ANSWER
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Budget, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.completion.attempts import Bounds
from tests.conftest import MakeUser
from tests.support import calls
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.together import at_once

BUDGETS, GROUPS = "/api/admin/budgets", "/api/admin/groups"
SITE = {"scope": "site", "period": "day", "limit": 1000}


def add(client: PageClient, **fields: Any) -> dict[str, Any]:
    response = client.post(BUDGETS, json=SITE | fields)
    assert response.status_code == 201, response.json
    return dict(response.json)  # type: ignore[arg-type]


def listed(client: PageClient, query: str = "") -> list[dict[str, Any]]:
    return list(client.get(BUDGETS + query).json["budgets"])  # type: ignore[index]


def audit() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]


def stored() -> list[Budget]:
    with reading() as session:
        return list(session.scalars(select(Budget)))


def test_a_budget_is_added_changed_and_deleted_with_a_trace(admin_client: PageClient, member: User) -> None:
    made = add(admin_client, scope="user", scope_id=member.id, period="month", unit="CNY", limit=20_500_000)
    assert made == made | {
        "name": "member",
        "limit": 20_500_000,
        "used": 0,
        "reserved": 0,
        "left": 20_500_000,
        "hard": True,
    }
    path = f"{BUDGETS}/{made['id']}"
    changed = admin_client.patch(path, json={"limit": 5, "hard": False}).json
    assert changed == made | {"limit": 5, "full": 5, "left": 5, "hard": False}
    assert admin_client.patch(path, json={"limit": 5}).json == changed, "what is so already changes nothing"
    nothing = admin_client.patch(path, json={"limit": 0})
    assert (nothing.status_code, error_code(nothing)) == (422, "bad_budget_limit")
    assert listed(admin_client) == [changed]
    assert admin_client.delete(path).status_code == 204
    assert listed(admin_client) == []
    named = {"scope": "user", "name": "member", "unit": "CNY", "period": "month"}
    before, after = {"limit": 20_500_000, "hard": True}, {"limit": 5, "hard": False}
    assert audit() == [
        ("budget.add", made["id"], named | before),
        ("budget.change", made["id"], named | {"before": before, "after": after}),
        ("budget.delete", made["id"], named | after),
    ]


def test_the_list_says_how_each_stands(admin_client: PageClient, member: User, make_user: MakeUser) -> None:
    group = admin_client.post(GROUPS, json={"name": "Club"}).json["id"]  # type: ignore[index]
    for scope, scope_id in (("site", ""), ("group", DEFAULT_GROUP_ID), ("group", group), ("user", member.id)):
        add(admin_client, scope=scope, scope_id=scope_id)
    add(admin_client, scope="member", scope_id=DEFAULT_GROUP_ID)
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=100, answer=MIN_ANSWER))
    calls.settle(sent, 10, 20)
    calls.dispatch(calls.call_of(make_user("other").id), Bounds(prompt=44, answer=MIN_ANSWER))
    found = [
        (each["scope"], each["name"], each["used"], each["reserved"], each["left"]) for each in listed(admin_client)
    ]
    assert sorted(found, key=str) == [
        ("group", "Club", 0, 0, 1000),
        ("group", "所有人", 30, 300, 670),
        ("member", "所有人", None, None, None),
        ("site", None, 30, 300, 670),
        ("user", "member", 30, 0, 970),
    ]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"scope": "site", "scope_id": "x"}, 422, "bad_budget_scope"),
        ({"scope": "user", "scope_id": ""}, 422, "bad_budget_scope"),
        ({"scope": "token", "scope_id": "x"}, 422, "invalid_field"),
        ({"scope": "user", "scope_id": "x"}, 404, "not_found"),
        ({"scope": "group", "scope_id": "编号"}, 404, "unknown_group"),
        ({"scope": "member", "scope_id": "0" * 25}, 404, "unknown_group"),
        ({"limit": 0}, 422, "bad_budget_limit"),
        ({"limit": 0, "hard": False}, 422, "bad_budget_limit"),
        ({"period": "year"}, 422, "invalid_field"),
        ({"unit": "cny"}, 422, "bad_currency"),
        ({"unit": "Tokens"}, 422, "bad_currency"),
        ({"unit": "¥"}, 422, "bad_currency"),
        ({"limit": -1}, 422, "invalid_field"),
        ({"limit": 1.5}, 422, "invalid_field"),
        ({"limit": 2**53}, 422, "invalid_field"),
        ({"limit": True}, 422, "invalid_field"),
        ({"limit": None}, 422, "invalid_field"),
        ({"hard": 1}, 422, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: PageClient, fields: dict[str, Any], status: int, code: str
) -> None:
    response = admin_client.post(BUDGETS, json=SITE | fields)
    assert (response.status_code, error_code(response)) == (status, code)
    assert stored() == []


def test_there_is_one_budget_of_each_kind_whoever_adds_it_at_once(admin_client: PageClient) -> None:
    add(admin_client)
    again = admin_client.post(BUDGETS, json=SITE)
    assert (again.status_code, error_code(again)) == (409, "budget_exists")
    add(admin_client, period="week")
    add(admin_client, unit="CNY")

    place = budget_admin_service.Place(scope="site", period="month")
    outcomes = at_once(4, lambda number: budget_admin_service.add(Actor(None), place, number + 1))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 3 + ["Listed"]
    assert len(stored()) == 4


def test_a_budget_that_is_not_there_is_not_found(admin_client: PageClient) -> None:
    for budget_id in (new_id(), "x", "编号", "%00"):
        for fields in ({"limit": 1}, {"hard": True}, {"hard": False}):
            assert admin_client.patch(f"{BUDGETS}/{budget_id}", json=fields).status_code == 404
        assert admin_client.delete(f"{BUDGETS}/{budget_id}").status_code == 404


def test_only_administrators_set_budgets(client: PageClient, member_client: PageClient, member: User) -> None:
    asked: list[Callable[[PageClient], Any]] = [
        lambda asker: asker.get(BUDGETS),
        lambda asker: asker.post(BUDGETS, json=SITE),
        lambda asker: asker.patch(f"{BUDGETS}/x", json={"limit": 1}),
        lambda asker: asker.delete(f"{BUDGETS}/x"),
    ]
    for ask in asked:
        assert error_code(ask(member_client)) == "forbidden"
        assert error_code(ask(client)) == "sign_in_required"
    assert stored() == []


def test_the_budgets_of_a_group_go_with_it(admin_client: PageClient) -> None:
    group = admin_client.post(GROUPS, json={"name": "Club"}).json["id"]  # type: ignore[index]
    add(admin_client, scope="group", scope_id=group)
    add(admin_client, scope="member", scope_id=group)
    kept = add(admin_client)
    assert admin_client.delete(f"{GROUPS}/{group}").status_code == 204
    assert [budget.id for budget in stored()] == [kept["id"]]


def test_a_persons_budgets_and_those_of_their_tokens_are_listed_alone(
    admin_client: PageClient, admin: User, make_user: MakeUser
) -> None:
    person = make_user("Xiao Ming")
    add(admin_client)
    add(admin_client, scope="user", scope_id=admin.id)
    its_own = add(admin_client, scope="user", scope_id=person.id)["id"]
    assert [each["id"] for each in listed(admin_client, f"?person={person.id}")] == [its_own]
    page = admin_client.get(f"/admin/budgets?person={person.id}")
    assert ("Xiao Ming" in page.text, its_own in page.text, admin.id in page.text) == (True, True, True)
    assert listed(admin_client, "?person=absent") == []
    assert admin_client.get("/admin/budgets?person=absent").status_code == 404


def test_the_list_is_read_page_by_page_with_as_many_queries(
    admin_client: PageClient, make_user: MakeUser, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    ids = [add(admin_client)["id"]]
    with query_count() as few:
        listed(admin_client)
    ids += [add(admin_client, scope="user", scope_id=make_user(f"person {n}").id)["id"] for n in range(9)]
    with query_count() as many:
        listed(admin_client)
    assert len(many) == len(few)
    first = admin_client.get(f"{BUDGETS}?limit=6").json
    assert first
    rest = listed(admin_client, f"?limit=6&before={first['next']}")
    assert sorted(each["id"] for each in [*first["budgets"], *rest]) == sorted(ids)
    for query in ("?limit=0", "?limit=101", "?limit=x", "?before=x", "?before=" + "%27" * 26):
        assert admin_client.get(BUDGETS + query).status_code == 400, query


def test_limits_are_counted_from_what_was_used_before_them(admin_client: PageClient, member: User) -> None:
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=100, answer=MIN_ANSWER), utc_now())
    calls.settle(sent, 100, 200)
    assert add(admin_client, limit=1000)["left"] == 700
    assert add(admin_client, limit=100, period="week")["left"] == 0
