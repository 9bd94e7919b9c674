"""What a manager sees and does: their own group, and nothing of any other."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.errors import NotFound
from flask_app.models import AuditEntry, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import account_deletion, managing_service
from tests.conftest import MakeUser, SignIn
from tests.support import managing, storage
from tests.support.clients import PageClient
from tests.support.entrance import STRONG, error_code, login, stored
from tests.support.managing import Class


def acts() -> list[tuple[str | None, str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.actor_id.is_not(None)).order_by(AuditEntry.id))
        return [(each.actor_name, each.action, each.target, json.loads(each.details)) for each in entries]


def test_a_manager_sees_the_people_of_their_group_alone(room: Class, query_count: Callable[[], Any]) -> None:
    with query_count() as few:
        page = room.client.get(room.url("/people")).json
    assert [(user["username"], user["role"]) for user in page["users"]] == [("pupil", "member")]  # type: ignore[index]
    assert "stranger" not in json.dumps(page)
    for _ in range(20):
        managing.member(room.group)
    with query_count() as many:
        assert len(room.client.get(room.url("/people")).json["users"]) == 21  # type: ignore[index]
    assert len(many) == len(few)
    first = room.client.get(room.url("/people?limit=20")).json
    rest = room.client.get(room.url(f"/people?before={first['next']}")).json  # type: ignore[index]
    assert len(first["users"]) == 20  # type: ignore[index]
    assert [user["username"] for user in rest["users"]] == ["pupil"]  # type: ignore[index]


def test_a_member_is_disabled_and_let_in_again(room: Class, sign_in: SignIn) -> None:
    pupil = sign_in(room.pupil)
    path = room.url(f"/people/{room.pupil.id}")
    assert room.client.patch(path, json={"disabled": True}).json["disabled"] is True  # type: ignore[index]
    assert pupil.get("/api/me").status_code == 401
    assert room.client.patch(path, json={"disabled": False}).json["disabled"] is False  # type: ignore[index]
    before, after = ({"disabled": is_so, "disabled_by_manager": is_so} for is_so in (False, True))
    told = {"username": "pupil", "before": before, "after": after}
    assert acts()[0] == ("teacher", "user.change", room.pupil.id, told)
    assert len(acts()) == 2


def test_whom_an_administrator_disabled_no_manager_lets_in_again(room: Class, admin_client: PageClient) -> None:
    path, site = room.url(f"/people/{room.pupil.id}"), f"/api/admin/users/{room.pupil.id}"
    assert admin_client.patch(site, json={"disabled": True}).status_code == 200
    refused = room.client.patch(path, json={"disabled": False})
    assert (refused.status_code, error_code(refused)) == (403, "disabled_by_administrator")
    assert room.client.patch(path, json={"disabled": True}).json["disabled"] is True  # type: ignore[index]
    assert stored(room.pupil).disabled
    assert room.client.patch(path, json={"disabled": False}).status_code == 403, "to disable again takes nothing over"
    assert admin_client.patch(site, json={"disabled": False}).status_code == 200
    assert room.client.patch(path, json={"disabled": True}).status_code == 200
    (shown,) = room.client.get(room.url("/people")).json["users"]  # type: ignore[index]
    assert (shown["disabled"], shown["disabled_by_manager"]) == (True, True)
    assert admin_client.patch(site, json={"disabled": True}).status_code == 200
    assert room.client.patch(path, json={"disabled": False}).status_code == 403, "an administrator's word is the last"


def test_who_is_deleted_is_not_there_while_the_account_is_removed(room: Class, admin_client: PageClient) -> None:
    account_deletion.begin_for(managing.HOUSE, room.pupil.id)
    assert stored(room.pupil).deleted_at is not None, "what is left of it is still there"
    path = room.url(f"/people/{room.pupil.id}")
    assert room.client.post(f"{path}/reset-link").status_code == 404
    assert room.client.patch(path, json={"disabled": True}).status_code == 404
    assert admin_client.get(f"/admin/budgets?person={room.pupil.id}").status_code == 404
    managers = f"/api/admin/groups/{room.group}/managers"
    named = admin_client.put(managers, json={"usernames": ["teacher", "pupil"]})
    assert (named.status_code, error_code(named)) == (422, "unknown_person")


def test_a_manager_who_is_deleted_is_none_any_more(room: Class, admin_client: PageClient) -> None:
    account_deletion.begin_for(managing.HOUSE, room.teacher.id)
    assert managing_service.names_of([room.group]) == {}
    kept = admin_client.put(f"/api/admin/groups/{room.group}/managers", json={"usernames": []})
    assert (kept.status_code, kept.json) == (200, {"managers": []})


def test_a_member_who_forgot_the_password_gets_a_link(room: Class, client: PageClient) -> None:
    with storage.broken_off_once("INSERT INTO audit_log"):  # as of two that wait for each other one is, and made anew
        token = room.client.post(room.url(f"/people/{room.pupil.id}/reset-link")).json["token"]  # type: ignore[index]
    assert client.post("/api/password-reset", json={"token": token, "password": STRONG}).status_code == 200
    client.csrf_token = ""
    assert login(client, "pupil", STRONG).status_code == 200
    assert ("teacher", "user.reset_link", room.pupil.id, {"username": "pupil"}) in acts()


@pytest.mark.each_case
@pytest.mark.parametrize("what", ["moved", "named", "named no more", "group deleted"])
def test_a_managers_link_ends_with_what_gave_it(
    room: Class, client: PageClient, admin_client: PageClient, what: str
) -> None:
    token = room.client.post(room.url(f"/people/{room.pupil.id}/reset-link")).get_json()["token"]
    groups = "/api/admin/groups"
    made = {
        "moved": lambda: admin_client.patch(f"/api/admin/users/{room.pupil.id}", json={"group_id": room.other}),
        "named": lambda: admin_client.put(f"{groups}/{room.other}/managers", json={"usernames": ["pupil"]}),
        "named no more": lambda: admin_client.put(f"{groups}/{room.group}/managers", json={"usernames": []}),
        "group deleted": lambda: admin_client.delete(f"{groups}/{room.group}"),
    }[what]()
    assert made.status_code in {200, 204}, made.text
    opened = client.post("/api/password-reset", json={"token": token, "password": STRONG})
    assert (opened.status_code, error_code(opened)) == (403, "reset_link_invalid")


def test_an_invitation_leads_into_the_group(room: Class, client: PageClient) -> None:
    made = room.client.post(room.url("/invitations"), json={"name": "3b", "most": 30})
    assert made.status_code == 201
    assert made.json["invitation"]["group"]["name"] == "Class 3b"  # type: ignore[index]
    token = made.json["token"]  # type: ignore[index]
    joined = client.post("/api/join", json={"token": token, "username": "new", "password": STRONG})
    assert joined.status_code == 201
    names = [user["username"] for user in room.client.get(room.url("/people")).json["users"]]  # type: ignore[index]
    assert names == ["new", "pupil"]
    listed = room.client.get(room.url("/invitations")).json["invitations"]  # type: ignore[index]
    assert [(each["name"], each["used"]) for each in listed] == [("3b", 1)]
    revoked = room.client.delete(room.url(f"/invitations/{listed[0]['id']}"))
    assert revoked.json["state"] == "revoked"  # type: ignore[index]


def test_anothers_invitations_are_not_there(room: Class) -> None:
    foreign = managing.invitation(room.other)
    assert room.client.get(room.url("/invitations")).json["invitations"] == []  # type: ignore[index]
    for unknown in (foreign, new_id()):
        assert room.client.delete(room.url(f"/invitations/{unknown}")).status_code == 404
    refused = room.client.post(room.url("/invitations"), json={"name": "x", "group_id": room.other})
    assert refused.status_code == 422


def test_somebody_of_another_group_looks_as_if_not_there(room: Class) -> None:
    for unknown in (room.stranger.id, new_id(), "x"):
        path = room.url(f"/people/{unknown}")
        for reply in (room.client.patch(path, json={"disabled": True}), room.client.post(f"{path}/reset-link")):
            assert (reply.status_code, error_code(reply)) == (404, "not_found")
    assert not stored(room.stranger).disabled


@pytest.mark.parametrize("role", ["admin", "owner", "manager"])
def test_whoever_is_not_below_a_manager_is_left_alone(room: Class, make_user: MakeUser, role: str) -> None:
    person = make_user("somebody", "member" if role == "manager" else role, group_id=room.group)
    if role == "manager":
        managing.group("Class 5c", "somebody")
    path = room.url(f"/people/{person.id}")
    for reply in (room.client.patch(path, json={"disabled": True}), room.client.post(f"{path}/reset-link")):
        assert (reply.status_code, error_code(reply)) == (403, "role_not_lower")
    roles = {user["username"]: user["role"] for user in room.client.get(room.url("/people")).json["users"]}  # type: ignore[index]
    assert roles == {"pupil": "member", "somebody": role}
    assert not stored(person).disabled


def test_another_group_looks_as_if_not_there(room: Class) -> None:
    for unknown in (room.other, new_id(), "x"):
        for path in ("/people", "/invitations", "/use", "/budgets"):
            assert room.client.get(room.url(path, unknown)).status_code == 404
        assert room.client.get(f"/managed/{unknown}").status_code == 404
        assert room.client.post(room.url("/invitations", unknown), json={"name": "x"}).status_code == 404


def test_the_page_tells_nothing_of_other_groups(room: Class, admin_client: PageClient) -> None:
    page = room.client.get(f"/managed/{room.group}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "pupil" in page.text
    for secret in ("stranger", "Class 4a", "other teacher"):
        assert secret not in page.text
    led = room.client.get("/managed")
    assert (led.status_code, led.location) == (302, f"/managed/{room.group}")
    assert room.client.get("/api/managed").json == {"groups": [{"id": room.group, "name": "Class 3b"}]}
    for path in ("/admin", "/admin/users", "/api/admin/users", "/api/admin/records", "/api/admin/audit"):
        assert room.client.get(path).status_code == 403, path


def test_who_manages_nothing_finds_nothing(
    room: Class, member_client: PageClient, admin_client: PageClient, client: PageClient
) -> None:
    for browser in (member_client, admin_client):
        assert browser.get("/api/managed").json == {"groups": []}
        assert browser.get("/managed").status_code == 404
        assert browser.get(room.url("/people")).status_code == 404
    assert client.get("/api/managed").status_code == 401
    assert client.get(room.url("/people")).status_code == 401


def test_managers_are_named_and_named_no_more(room: Class, admin_client: PageClient, admin: User) -> None:
    path = f"/api/admin/groups/{room.group}/managers"
    named = admin_client.put(path, json={"usernames": ["STRANGER", "teacher", " teacher ", ""]})
    assert named.json == {"managers": ["stranger", "teacher"]}
    groups = {each["id"]: each["managers"] for each in admin_client.get("/api/admin/groups").json["groups"]}  # type: ignore[index]
    assert (groups[room.group], groups[room.other]) == (["stranger", "teacher"], ["other teacher"])
    assert admin_client.put(path, json={"usernames": []}).json == {"managers": []}
    assert room.client.get(room.url("/people")).status_code == 404, "it holds from the next request"
    told = {"name": "Class 3b", "before": {"managers": ["teacher"]}, "after": {"managers": ["stranger", "teacher"]}}
    assert acts()[0] == ("admin", "group.managers", room.group, told)
    assert len(acts()) == 2
    with pytest.raises(NotFound):
        managing_service.link(Actor(room.teacher), room.group, room.pupil.id)


def test_only_who_is_there_is_named(room: Class, admin_client: PageClient) -> None:
    path = f"/api/admin/groups/{room.group}/managers"
    unknown = admin_client.put(path, json={"usernames": ["teacher", "nobody"]})
    assert (unknown.status_code, error_code(unknown)) == (422, "unknown_person")
    assert admin_client.put(path, json={"usernames": ["x"] * 21}).status_code == 422
    assert admin_client.put(f"/api/admin/groups/{new_id()}/managers", json={"usernames": []}).status_code == 404
    assert room.client.put(path, json={"usernames": []}).status_code == 403
    assert managing_service.names_of([room.group]) == {room.group: ["teacher"]}


def test_a_manager_who_is_disabled_manages_nothing(app: Flask, room: Class) -> None:
    with transaction() as session:
        session.get_one(User, room.teacher.id).disabled = True
    with pytest.raises(NotFound):
        managing_service.set_disabled(Actor(room.teacher), room.group, room.pupil.id, disabled=True)


def test_a_group_that_is_deleted_has_no_managers(room: Class, admin_client: PageClient) -> None:
    assert admin_client.delete(f"/api/admin/groups/{room.group}").status_code == 204
    assert managing_service.names_of([room.group]) == {}
    assert room.client.get("/api/managed").json == {"groups": []}
