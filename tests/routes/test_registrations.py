"""Accounts without an invitation: by themselves, after a mail came back, or once an administrator lets people in."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from flask_app.database import new_id
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import registration_service, registration_settings
from tests.conftest import MakeUser
from tests.support import registered
from tests.support.clients import SESSION_COOKIE, PageClient
from tests.support.entrance import STRONG, error_code, login
from tests.support.registered import allow, audited, confirm, kept, people, register

TERMS, LIST = "/api/admin/settings/registration", "/api/admin/registrations"


@pytest.mark.usefixtures("admin")
def test_nobody_registers_unless_an_administrator_says_so(client: PageClient) -> None:
    refused = register(client)
    assert (refused.status_code, error_code(refused)) == (403, "registration_closed")
    assert "/register" not in client.get("/login").text
    closed = client.get("/register", headers={"Accept-Language": "en"}).text
    assert "without an invitation" in closed
    assert "data-entrance" not in closed


def test_everybody_comes_in_at_once(admin_client: PageClient, client: PageClient) -> None:
    group = admin_client.post("/api/admin/groups", json={"name": "Readers"}).get_json()["id"]
    changed = admin_client.put(TERMS, json={"mode": "open", "group_id": group})
    assert changed.json == {"mode": "open", "group_id": group, "domains": [], "confirms": False}
    assert 'href="/register"' in client.get("/login").text
    came = register(client, "小红", timezone="Asia/Shanghai", locale="zh").get_json()
    assert (came["state"], came["username"], came["session"]["user"]["timezone"]) == ("in", "小红", "Asia/Shanghai")
    assert client.get_cookie(SESSION_COOKIE)
    me = client.get("/api/me").get_json()["user"]
    assert (me["username"], me["role"], me["email"]) == ("小红", "member", None)
    (person, _) = admin_client.get("/api/admin/users").get_json()["users"]
    assert person["group"]["id"] == group
    assert audited("registration.come_in").actor_id == me["id"]
    assert kept() == []


def test_an_administrator_lets_people_in(admin_client: PageClient, client: PageClient) -> None:
    allow("approval")
    asked = register(client)
    assert asked.json == {"state": "approval", "username": "new", "session": None}
    assert not client.get_cookie(SESSION_COOKIE)
    assert login(client, "new", STRONG).status_code == 401
    (waiting,) = admin_client.get(LIST).get_json()["registrations"]
    assert waiting == waiting | {"username": "new", "email": None, "address": "192.0.2.1"}
    let_in = admin_client.post(f"{LIST}/{waiting['id']}/accept", json={}).get_json()["user"]
    assert (let_in["username"], let_in["group"]["id"]) == ("new", DEFAULT_GROUP_ID)
    assert login(client, "new", STRONG).status_code == 200
    assert admin_client.get(LIST).get_json() == {"registrations": [], "next": None}
    assert audited("registration.accept").target == let_in["id"]
    assert kept()[0].password_hash is None
    again = admin_client.post(f"{LIST}/{waiting['id']}/accept", json={})
    assert again.status_code == 404


def test_the_overview_says_how_many_wait(admin_client: PageClient) -> None:
    def count() -> int:
        return int(admin_client.get("/api/admin/overview").get_json()["waiting"])

    assert count() == 0
    registrations = [registered.waiting(name) for name in ("one", "two")]
    assert count() == 2
    admin_client.post(f"{LIST}/{registrations[0].id}/accept", json={})
    admin_client.delete(f"{LIST}/{registrations[1].id}")
    assert count() == 0


def test_whoever_is_refused_is_forgotten(admin_client: PageClient, client: PageClient) -> None:
    asked = registered.waiting("new")
    assert admin_client.delete(f"{LIST}/{asked.id}").status_code == 204
    assert kept() == []
    assert people() == 1
    assert audited("registration.refuse").target == asked.id
    assert admin_client.delete(f"{LIST}/{asked.id}").status_code == 404
    assert register(client).get_json()["state"] == "approval"


def test_they_come_into_the_group_that_the_administrator_chooses(admin_client: PageClient) -> None:
    asked = registered.waiting("new")
    group = admin_client.post("/api/admin/groups", json={"name": "Readers"}).get_json()["id"]
    assert admin_client.post(f"{LIST}/{asked.id}/accept", json={"group_id": "nowhere"}).status_code == 422
    let_in = admin_client.post(f"{LIST}/{asked.id}/accept", json={"group_id": group}).get_json()["user"]
    assert let_in["group"]["name"] == "Readers"


def test_where_mail_is_not_set_up_no_address_is_taken(client: PageClient) -> None:
    allow("open")
    reply = register(client, email="new@example.org")
    assert (reply.status_code, error_code(reply)) == (422, "email_not_asked")
    assert people() == 0


@pytest.mark.parametrize("token", ["", "unknown", "x" * 300])
def test_an_unknown_link_opens_nothing(client: PageClient, token: str) -> None:
    allow("open")
    reply = confirm(client, token)
    assert (reply.status_code, error_code(reply)) == (403, "registration_unknown")


def test_whoever_guesses_links_is_slowed_down(client: PageClient) -> None:
    replies = [confirm(client, f"guess {number}") for number in range(11)]
    assert [reply.status_code for reply in replies] == [403] * 10 + [429]


def test_one_address_asks_sixty_times_an_hour(client: PageClient) -> None:
    allow("approval")
    replies = [register(client, "two\nlines") for _ in range(61)]
    assert {reply.status_code for reply in replies[:60]} == {422}
    assert (replies[60].status_code, error_code(replies[60])) == (429, "too_many_attempts")
    assert register(client, address="192.0.2.2").status_code == 200


def test_not_everybody_can_wait(client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration_service, "MOST_WAITING", 2)
    for name in ("one", "two"):
        registered.waiting(name)
    reply = register(client)
    assert (reply.status_code, error_code(reply)) == (429, "registrations_full")


def test_without_its_group_nobody_comes_in_by_themselves(admin_client: PageClient, client: PageClient) -> None:
    group = admin_client.post("/api/admin/groups", json={"name": "Readers"}).get_json()["id"]
    allow("open", group_id=group)
    assert admin_client.delete(f"/api/admin/groups/{group}").status_code == 204
    reply = register(client)
    assert (reply.status_code, error_code(reply)) == (403, "registration_closed")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"mode": "sometimes"}, "unknown_mode"),
        ({"mode": 5}, "invalid_field"),
        ({"mode": "open", "group_id": "nowhere"}, "unknown_group"),
        ({"mode": "open", "domains": ["example.org"]}, "domains_need_mail"),
        ({"mode": "open", "other": 1}, "invalid_field"),
        ({}, "invalid_field"),
    ],
)
def test_terms_that_make_no_sense(admin_client: PageClient, fields: dict[str, Any], code: str) -> None:
    reply = admin_client.put(TERMS, json=fields)
    assert (reply.status_code, error_code(reply)) == (422, code)
    assert not registration_settings.terms().is_open


def test_members_and_strangers_decide_nothing(client: PageClient, member_client: PageClient) -> None:
    asked = registered.waiting("new")
    for who, status in ((client, 401), (member_client, 403)):
        assert who.get(LIST).status_code == status
        assert who.put(TERMS, json={"mode": "open"}).status_code == status
        assert who.post(f"{LIST}/{asked.id}/accept", json={}).status_code == status
        assert who.delete(f"{LIST}/{asked.id}").status_code == status
    assert people() == 1


def test_a_name_that_was_taken_meanwhile_can_still_be_refused(admin_client: PageClient, make_user: MakeUser) -> None:
    asked = registered.waiting("new")
    make_user("NEW")
    reply = admin_client.post(f"{LIST}/{asked.id}/accept", json={})
    assert (reply.status_code, error_code(reply)) == (409, "username_taken")
    assert admin_client.delete(f"{LIST}/{asked.id}").status_code == 204


def test_those_who_wait_come_by_pages_and_by_few_queries(
    admin_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    registered.waiting("p0")
    with query_count() as few:
        admin_client.get(LIST)
    for number in range(1, 5):
        registered.waiting(f"p{number}")
    with query_count() as many:
        admin_client.get(LIST)
    assert len(few) == len(many)
    first = admin_client.get(LIST, query_string={"limit": 3}).get_json()
    rest = admin_client.get(LIST, query_string={"limit": 3, "after": first["next"]}).get_json()
    names = [each["username"] for each in (*first["registrations"], *rest["registrations"])]
    assert (names, rest["next"]) == ([f"p{number}" for number in range(5)], None)
    assert admin_client.get(LIST, query_string={"after": "x"}).status_code == 400
    assert admin_client.post(f"{LIST}/{new_id()}/accept", json={}).status_code == 404


MARK = re.compile(r"data-people-waiting.*?data-count>(\d+)<", re.S)


def marks(client: PageClient, path: str) -> list[str]:
    page = client.get(path)
    assert page.status_code == 200
    return MARK.findall(page.text)


def test_pages_of_administrators_say_how_many_wait(admin_client: PageClient, member_client: PageClient) -> None:
    assert marks(admin_client, "/admin/groups") == []
    for name in ("one", "two"):
        registered.waiting(name)
    in_the_bar, in_the_list = marks(admin_client, "/admin/groups")
    assert (in_the_bar, in_the_list) == ("2", "2")
    page = admin_client.get("/admin/groups").text
    assert re.search(r'href="/admin/users">[^<]*<span class="badge[^>]*data-people-waiting', page)
    assert marks(admin_client, "/") == ["2"], "in the menu of a chat"
    assert marks(member_client, "/") == marks(member_client, "/dashboard") == []


def test_the_mark_costs_as_much_however_many_wait(
    admin_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    registered.waiting("one")
    with query_count() as few:
        admin_client.get("/admin/groups")
    for number in range(9):
        registered.asked(f"person {number}")
    with query_count() as many:
        admin_client.get("/admin/groups")
    assert len(many) == len(few)
