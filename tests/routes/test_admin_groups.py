"""/api/admin/groups, and who is in which."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.errors import Invalid
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Group, SharedPrompt, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.people import group_deletion, group_service, user_admin_service
from flask_app.services.people.group_service import MAX_TOKENS, Choices
from flask_app.services.prompts import shared_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from tests.conftest import MakeUser
from tests.support.clients import PageClient
from tests.support.entrance import error_code, stored
from tests.support.together import at_once

GROUPS, USERS = "/api/admin/groups", "/api/admin/users"
DEFAULT = f"{GROUPS}/{DEFAULT_GROUP_ID}"
OPEN = {"api": True, "sharing": True, "web_search": True, "models": None, "hours": None}


def audit() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]


def add(client: PageClient, name: str, **settings: Any) -> dict[str, Any]:
    response = client.post(GROUPS, json={"name": name} | settings)
    assert response.status_code == 201, response.json
    return dict(response.json)  # type: ignore[arg-type]


def listed(client: PageClient) -> list[dict[str, Any]]:
    return list(client.get(GROUPS).json["groups"])  # type: ignore[index]


def test_everybody_begins_in_the_default_group(admin_client: PageClient, member: User) -> None:
    (group,) = listed(admin_client)
    assert group == group | {"id": DEFAULT_GROUP_ID, "name": "所有人", "is_default": True, "members": 2}
    assert (group["on_disconnect"], group["on_disconnect_tokens"]) == ("continue", None)


def test_the_built_in_name_is_in_the_readers_language_until_it_is_changed(admin_client: PageClient) -> None:
    english = {"Accept-Language": "en"}
    assert admin_client.get(GROUPS, headers=english).json["groups"][0]["name"] == "Everyone"  # type: ignore[index]
    assert admin_client.patch(DEFAULT, json={"name": "全家"}).json["name"] == "全家"  # type: ignore[index]
    assert admin_client.get(GROUPS, headers=english).json["groups"][0]["name"] == "全家"  # type: ignore[index]
    admin_client.patch(DEFAULT, json={"name": "所有人"})
    assert admin_client.get(GROUPS, headers=english).json["groups"][0]["name"] == "Everyone"  # type: ignore[index]


def test_a_group_that_has_the_built_in_name_of_a_language_that_came_later_is_found_by_it(app: Flask) -> None:
    assert group_service.by_name("全員").id == group_service.by_name("Everyone").id == DEFAULT_GROUP_ID
    with transaction() as session:
        session.add(Group(id=(older := new_id()), name="全員", name_key="全員", on_disconnect="continue"))
    assert group_service.by_name("全員").id == older
    assert group_service.by_name("所有人").id == DEFAULT_GROUP_ID


def test_a_group_has_a_quota_of_files(admin_client: PageClient) -> None:
    group = add(admin_client, "Class 3b")
    path = f"{GROUPS}/{group['id']}"
    assert group["file_quota_mb"] == 200
    assert add(admin_client, "Guests", file_quota_mb=0)["file_quota_mb"] == 0
    changed: Any = admin_client.patch(path, json={"file_quota_mb": 50}).json
    assert changed == group | {"file_quota_mb": 50}
    assert admin_client.patch(path, json={"name": "Class 4b"}).json == changed | {"name": "Class 4b"}
    assert audit()[-2][2] == {"name": "Class 3b", "before": {"file_quota_mb": 200}, "after": {"file_quota_mb": 50}}
    for wrong in (-1, 1_000_001, "x"):
        assert admin_client.patch(path, json={"file_quota_mb": wrong}).status_code == 422


def test_a_group_tells_for_how_long_its_things_are_kept(admin_client: PageClient) -> None:
    first, second = (add(admin_client, name) for name in ("Class 3b", "Guests"))
    assert first["kept"] == {"days": None, "file_days": None, "request_days": 30}
    rules = {"days": 365, "groups": {first["id"]: 60}, "file_days": 90, "file_groups": {}}
    assert admin_client.put("/api/admin/settings/retention", json=rules).status_code == 200
    log = {"days": 20, "groups": {second["id"]: 10}}
    assert admin_client.put("/api/admin/requests/retention", json=log).status_code == 200
    kept = {group["id"]: group["kept"] for group in listed(admin_client)}
    assert kept == {
        DEFAULT_GROUP_ID: {"days": 365, "file_days": 90, "request_days": 20},
        first["id"]: {"days": 60, "file_days": None, "request_days": 20},
        second["id"]: {"days": 365, "file_days": 90, "request_days": 10},
    }
    changed: Any = admin_client.patch(f"{GROUPS}/{second['id']}", json={"name": "Visitors"}).json
    assert changed["kept"] == kept[second["id"]]


def test_a_group_is_added_changed_and_deleted_with_a_trace(admin_client: PageClient, member: User) -> None:
    group = add(admin_client, " Class 3b ", on_disconnect="limit", on_disconnect_tokens=300)
    path = f"{GROUPS}/{group['id']}"
    assert group == group | {"name": "Class 3b", "is_default": False, "members": 0, "on_disconnect_tokens": 300}
    admin_client.patch(f"{USERS}/{member.id}", json={"group_id": group["id"]})
    changed = admin_client.patch(path, json={"name": "Class 4b", "on_disconnect": "stop"}).json
    assert changed == group | {"name": "Class 4b", "on_disconnect": "stop", "on_disconnect_tokens": None, "members": 1}
    assert admin_client.patch(path, json={"name": "Class 4b"}).json == changed, "what is so already changes nothing"
    assert admin_client.delete(path).status_code == 204
    assert stored(member).group_id == DEFAULT_GROUP_ID
    assert [group["name"] for group in listed(admin_client)] == ["所有人"]
    settings = {"name": "Class 3b", "on_disconnect": "limit", "on_disconnect_tokens": 300}
    later = {"name": "Class 4b", "on_disconnect": "stop", "on_disconnect_tokens": None}
    moved = {"username": "member", "before": {"group": "Everyone"}, "after": {"group": "Class 3b"}}
    assert audit() == [
        ("group.add", group["id"], settings | {"file_quota_mb": 200}),
        ("user.change", member.id, moved),
        ("group.change", group["id"], {"name": "Class 4b", "before": settings, "after": later}),
        (
            "group.delete",
            group["id"],
            later
            | OPEN
            | {"file_quota_mb": 200, "moved": 1, "budgets": 0, "prompts": 0, "assistants": 0, "supervised": False},
        ),
    ]


@pytest.mark.security("audit")
def test_a_deletion_tells_what_the_group_had_closed_and_what_went_with_it(
    admin_client: PageClient,
) -> None:
    path = f"{GROUPS}/{(group := add(admin_client, 'Class 3b'))['id']}"
    hours = {"days": [1], "from": "08:00", "to": "12:00"}
    access = {"api": False, "sharing": False, "hours": hours, "supervised": True}
    assert admin_client.put(f"{path}/access", json=access).status_code == 200
    shared_prompts.add(Actor(None), group["id"], Wanted("sum", "Sum it up", "Sum it up."))
    shared_prompts.add(Actor(None), None, Wanted("sum", "Sum it up", "Sum it up."))
    budget_admin_service.add(Actor(None), Place(scope="group", scope_id=group["id"], period="day"), 1000)
    assert admin_client.delete(path).status_code == 204
    action, _, told = audit()[-1]
    closed = {"api": False, "sharing": False, "hours": "1 08:00-12:00", "supervised": True}
    assert (action, told) == ("group.delete", told | closed | {"moved": 0, "budgets": 1, "prompts": 1})
    with reading() as session:
        assert session.scalars(select(SharedPrompt.group_id)).all() == [None]


def test_a_number_of_tokens_goes_with_its_policy_alone(admin_client: PageClient) -> None:
    path = f"{GROUPS}/{add(admin_client, 'Club')['id']}"
    assert error_code(admin_client.patch(path, json={"on_disconnect": "limit"})) == "bad_disconnect_policy"
    assert error_code(admin_client.patch(path, json={"on_disconnect_tokens": 5})) == "bad_disconnect_policy"
    admin_client.patch(path, json={"on_disconnect": "limit", "on_disconnect_tokens": 5})
    again = admin_client.patch(path, json={"on_disconnect_tokens": 6}).json
    assert again == again | {"on_disconnect": "limit", "on_disconnect_tokens": 6}  # type: ignore[operator]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": "a\nb"},
        {"name": "x" * 65},
        {"name": "ﷺ" * 64},
        {"name": 1},
        {"name": "x", "on_disconnect": "pause"},
        {"name": "x", "on_disconnect": "limit"},
        {"name": "x", "on_disconnect": "limit", "on_disconnect_tokens": 0},
        {"name": "x", "on_disconnect": "limit", "on_disconnect_tokens": 1_000_001},
        {"name": "x", "on_disconnect": "limit", "on_disconnect_tokens": True},
        {"name": "x", "on_disconnect": "stop", "on_disconnect_tokens": 5},
        {"name": "x", "is_default": True},
        {"name": "x", "id": "1"},
    ],
)
def test_a_bad_body_adds_nothing(admin_client: PageClient, body: dict[str, Any]) -> None:
    assert admin_client.post(GROUPS, json=body).status_code == 422
    assert len(listed(admin_client)) == 1
    assert audit() == []


@pytest.mark.each_case
@pytest.mark.parametrize("name", ["Team", "TEAM", "ｔｅａｍ", " team ", "Everyone", "所有人", "EVERYONE"])
def test_a_name_is_one_groups_only(admin_client: PageClient, name: str) -> None:
    add(admin_client, "Team")
    other = add(admin_client, "Other")
    for response in (
        admin_client.post(GROUPS, json={"name": name}),
        admin_client.patch(f"{GROUPS}/{other['id']}", json={"name": name}),
    ):
        assert (response.status_code, error_code(response)) == (409, "group_name_taken")


def test_of_two_who_take_one_name_at_once_one_is_told(app: Flask) -> None:
    outcomes = at_once(2, lambda _: group_service.add(Actor(None), Choices(name="same")).group.id)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "str"]


def test_the_default_group_stays(admin_client: PageClient) -> None:
    refused = admin_client.delete(DEFAULT)
    assert (refused.status_code, error_code(refused)) == (409, "default_group")
    assert len(listed(admin_client)) == 1


@pytest.mark.parametrize("group_id", ["x", "编号", "x" * 300])
def test_an_absent_group_is_not_found(admin_client: PageClient, group_id: str) -> None:
    for absent in (group_id, new_id()):
        assert admin_client.patch(f"{GROUPS}/{absent}", json={"name": "x"}).status_code == 404
        assert admin_client.delete(f"{GROUPS}/{absent}").status_code == 404


def test_only_administrators_reach_the_groups(client: PageClient, member_client: PageClient) -> None:
    asked: list[Callable[[PageClient], Any]] = [
        lambda browser: browser.get(GROUPS),
        lambda browser: browser.post(GROUPS, json={"name": "x"}),
        lambda browser: browser.patch(DEFAULT, json={"on_disconnect": "stop"}),
        lambda browser: browser.delete(f"{GROUPS}/x"),
    ]
    for ask in asked:
        assert error_code(ask(member_client)) == "forbidden"
        assert error_code(ask(client)) == "sign_in_required"
    with reading() as session:
        assert session.scalars(select(Group.on_disconnect)).all() == ["continue"]


def test_the_number_of_queries_does_not_grow(
    admin_client: PageClient, make_user: MakeUser, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    listed(admin_client)
    with query_count() as few:
        listed(admin_client)
    for number in range(20):
        make_user(f"person {number}", group_id=add(admin_client, f"group {number}")["id"])
    with query_count() as many:
        assert [group["members"] for group in listed(admin_client)] == [1] * 21
    assert few
    assert len(many) == len(few)


def test_a_person_is_added_to_a_group_and_moved_without_being_signed_out(
    admin_client: PageClient, client: PageClient, member: User, member_client: PageClient
) -> None:
    group = add(admin_client, "Club")
    added = admin_client.post(USERS, json={"username": "new", "group_id": group["id"]}).json
    assert added["user"]["group"] == {"id": group["id"], "name": "Club"}  # type: ignore[index]
    moved = admin_client.patch(f"{USERS}/{member.id}", json={"group_id": group["id"]}).json
    assert moved["user"]["group"]["name"] == "Club"  # type: ignore[index]
    assert member_client.get("/api/me").status_code == 200
    users = admin_client.get(USERS).json["users"]  # type: ignore[index]
    assert {user["username"]: user["group"]["name"] for user in users} == {
        "new": "Club",
        "member": "Club",
        "admin": "所有人",
    }


@pytest.mark.parametrize("group_id", ["x", "", "编号", "0" * 25])
def test_nobody_joins_a_group_that_is_not_there(admin_client: PageClient, member: User, group_id: str) -> None:
    for response in (
        admin_client.post(USERS, json={"username": "new", "group_id": group_id}),
        admin_client.patch(f"{USERS}/{member.id}", json={"group_id": group_id}),
    ):
        assert (response.status_code, error_code(response)) == (422, "unknown_group")
    assert stored(member).group_id == DEFAULT_GROUP_ID


def test_people_who_join_while_their_group_is_deleted_are_in_one_that_is_there(app: Flask) -> None:
    for number in range(5):
        group_id = group_service.add(Actor(None), Choices(name="gone")).group.id

        def act(place: int, number: int = number, group_id: str = group_id) -> None:
            if place == 0:
                group_deletion.delete(Actor(None), group_id)
            else:
                user_admin_service.add(Actor(None), f"person {number} {place}", "member", group_id=group_id)

        outcomes = at_once(3, act)
        assert {type(outcome).__name__ for outcome in outcomes} <= {"NoneType", "Invalid"}
    with reading() as session:
        assert set(session.scalars(select(User.group_id))) <= {DEFAULT_GROUP_ID}
        assert session.scalars(select(Group.id)).all() == [DEFAULT_GROUP_ID]


@pytest.mark.parametrize(("tokens", "fits"), [(0, False), (1, True), (MAX_TOKENS, True), (MAX_TOKENS + 1, False)])
def test_how_many_tokens_more_an_answer_may_have_has_bounds(app: Flask, tokens: int, *, fits: bool) -> None:
    choices = Choices(name="Club", on_disconnect="limit", tokens=tokens)
    if fits:
        assert group_service.add(Actor(None), choices).group.on_disconnect_tokens == tokens
    else:
        with pytest.raises(Invalid, match="bad_disconnect_tokens"):
            group_service.add(Actor(None), choices)
