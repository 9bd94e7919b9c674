"""/api/admin/users: list, add, reset link, audit; who may."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import new_id, reading, utc_now
from flask_app.models import AuditEntry, LoginSession, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import user_admin_service
from tests.conftest import MakeUser, SignIn
from tests.support import managing
from tests.support.clients import PageClient
from tests.support.entrance import STRONG, error_code, stored
from tests.support.together import at_once

URL = "/api/admin/users"


def audit() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]


def test_people_are_listed_the_newest_first_by_pages(admin_client: PageClient, make_user: MakeUser) -> None:
    made = [make_user(f"person {number}").username for number in range(5)]
    first = admin_client.get(f"{URL}?limit=4").json
    assert first is not None
    second = admin_client.get(f"{URL}?limit=4&before={first['next']}").json
    assert second is not None
    names = [user["username"] for user in first["users"] + second["users"]]
    assert sorted(names) == sorted([*made, "admin"])
    assert second["next"] is None


def test_the_number_of_queries_does_not_grow(
    admin_client: PageClient, make_user: MakeUser, query_count: Callable[[], Any]
) -> None:
    with query_count() as few:
        admin_client.get(URL)
    for number in range(20):
        make_user(f"person {number}")
    with query_count() as many:
        assert len(admin_client.get(URL).json["users"]) == 21  # type: ignore[index]
    assert few
    assert len(many) == len(few) <= 3


@pytest.mark.each_case
@pytest.mark.security("searches-literal", "like-bounded")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("LI", {"李 Li", "Alice"}),
        ("李", {"李 Li"}),
        ("%", {"100%"}),
        ("_", set()),
        ("%" * 1000, set()),
        ("ａｌｉ", {"Alice"}),
    ],
)
def test_search_takes_what_is_typed_literally(
    admin_client: PageClient, make_user: MakeUser, search: str, found: set[str]
) -> None:
    for name in ("Alice", "李 Li", "100%", "🙂"):
        make_user(name)
    shown = admin_client.get(URL, query_string={"q": search}).json
    assert {user["username"] for user in shown["users"]} == found  # type: ignore[index]


def _found(client: PageClient, **asked: str) -> set[str]:
    return {user["username"] for user in client.get(URL, query_string=asked).json["users"]}  # type: ignore[index]


def test_people_are_found_by_address_and_by_group(admin_client: PageClient, make_user: MakeUser) -> None:
    group = managing.group("Class 3b")
    make_user("Alice", email="Lin.Mei@School.example", group_id=group)
    make_user("mei")
    assert _found(admin_client, q=" LIN.mei@school.example ") == {"Alice"}
    assert _found(admin_client, q="mei") == {"mei"}
    assert _found(admin_client, q="lin.mei@school") == set(), "a part of an address would give the rest away"
    assert _found(admin_client, q="class 3B") == {"Alice"}
    assert _found(admin_client, q="class") == set(), "a part of a group's name would find too many"
    assert _found(admin_client, q="所有人") == _found(admin_client, q="Everyone") == {"admin", "mei"}
    assert _found(admin_client, group=group) == {"Alice"}
    assert _found(admin_client, group=group, q="ali") == {"Alice"}
    assert _found(admin_client, group=group, q="mei") == set()
    assert _found(admin_client, group="absent") == set()


@pytest.mark.parametrize("length", [190, 191, 254])
def test_a_long_address_is_found_whole(admin_client: PageClient, make_user: MakeUser, length: int) -> None:
    address = "x" * (length - 15) + "@school.example"
    make_user("alice", email=address)
    assert _found(admin_client, q=address.upper()) == {"alice"}
    assert _found(admin_client, q=address[:-1]) == set()
    assert _found(admin_client, q=f"{address}x") == set()


@pytest.mark.parametrize(
    ("state", "found"), [("waiting", {"newcomer"}), ("disabled", {"gone"}), ("admin", {"admin", "root"})]
)
def test_people_are_found_by_how_they_stand(
    admin_client: PageClient, make_user: MakeUser, state: str, found: set[str]
) -> None:
    make_user("root", "owner", last_sign_in_at=utc_now())
    make_user("gone", disabled=True)
    make_user("newcomer")
    make_user("member", last_sign_in_at=utc_now())
    assert _found(admin_client, state=state) == found
    assert _found(admin_client, state=state, q="nobody") == set()


def test_a_state_that_there_is_not_is_refused(admin_client: PageClient) -> None:
    refused = admin_client.get(f"{URL}?state=king")
    assert (refused.status_code, error_code(refused)) == (400, "unknown_state")
    assert admin_client.get("/admin/users?state=king").status_code == 400


@pytest.mark.parametrize(
    "query", ["before=%27", "before=" + "x" * 300, "limit=0", "limit=101", "limit=-1", "limit=1e3"]
)
def test_bad_pages_are_refused(admin_client: PageClient, query: str) -> None:
    assert admin_client.get(f"{URL}?{query}").status_code == 400


def test_online_means_seen_lately_in_an_open_session(admin_client: PageClient, member: User, sign_in: SignIn) -> None:
    def online() -> set[str]:
        users = admin_client.get(URL).json["users"]  # type: ignore[index]
        return {user["username"] for user in users if user["online"]}

    assert online() == {"admin"}
    browser = sign_in(member)
    assert online() == {"admin", "member"}
    browser.post("/logout")
    assert online() == {"admin"}


def test_a_person_added_with_a_password_can_sign_in(admin_client: PageClient, client: PageClient) -> None:
    added = admin_client.post(URL, json={"username": " 小明 🙂 ", "role": "member", "password": STRONG})
    assert added.status_code == 201
    assert set(added.json) == {"user"}  # type: ignore[arg-type]
    assert added.json["user"]["username"] == "小明 🙂"  # type: ignore[index]
    signed_in = client.post("/api/login", json={"username": "小明 🙂", "password": STRONG})
    assert signed_in.status_code == 200


def test_a_person_added_without_a_password_chooses_one_by_link(admin_client: PageClient, client: PageClient) -> None:
    added = admin_client.post(URL, json={"username": "new", "role": "member"}).json
    assert added is not None
    assert client.post("/api/login", json={"username": "new", "password": STRONG}).status_code == 401
    chosen = client.post("/api/password-reset", json={"token": added["reset_token"], "password": STRONG})
    assert chosen.status_code == 200
    assert client.post("/api/login", json={"username": "new", "password": STRONG}).status_code == 200


@pytest.mark.parametrize("name", ["admin", "ADMIN", "Ａｄｍｉｎ", " admin "])
def test_a_name_is_taken_whatever_its_case_and_width(admin_client: PageClient, name: str) -> None:
    refused = admin_client.post(URL, json={"username": name, "password": STRONG})
    assert (refused.status_code, error_code(refused)) == (409, "username_taken")


@pytest.mark.each_case
@pytest.mark.parametrize(("one", "other"), [("josé", "jose"), ("🙂", "🙃"), ("ß1", "s1"), ("𠮷", "吉"), ("ａ́b", "ab")])
def test_names_that_look_different_are_different_people(admin_client: PageClient, one: str, other: str) -> None:
    for name in (one, other):
        assert admin_client.post(URL, json={"username": name}).status_code == 201


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 65, "a\nb", "a\x00b", "a\u200bb", "a\u202eb", "\u200d", "\ufe0f", "\u3164", "ﷺ" * 64]
)
def test_a_name_has_one_to_sixty_four_visible_characters(admin_client: PageClient, name: str) -> None:
    refused = admin_client.post(URL, json={"username": name})
    assert (refused.status_code, error_code(refused)) == (422, "username_invalid")


@pytest.mark.each_case
@pytest.mark.parametrize("name", ["李", "👨‍👩‍👧‍👦", "❤️", "x" * 64, "José Núñez", "𠮷野家", "O'Brien-Smith"])
def test_names_of_many_scripts_are_accepted(admin_client: PageClient, name: str) -> None:
    assert admin_client.post(URL, json={"username": name}).json["user"]["username"] == name  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {"username": "x", "role": "root"},
        {"username": "x", "password": "short"},
        {"username": "x", "id": "1"},
        {"username": "x", "disabled": False},
        {"username": "x", "password_hash": "y"},
        {"username": 1},
        {},
    ],
)
def test_a_bad_body_adds_nobody(admin_client: PageClient, body: dict[str, Any]) -> None:
    assert admin_client.post(URL, json=body).status_code == 422
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_of_two_who_take_one_name_at_once_one_is_told(app: Flask) -> None:
    outcomes = at_once(
        2, lambda number: user_admin_service.add(Actor(None), "same", "member", f"{STRONG} {number}").user.id
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "str"]


def test_a_reset_link_works_once_and_ends_all_sessions(
    admin_client: PageClient, member: User, member_client: PageClient, client: PageClient
) -> None:
    link = admin_client.post(f"{URL}/{member.id}/reset-link", json={}).json
    assert link is not None
    assert set(link) == {"token", "expires_at"}
    assert member_client.get("/api/me").status_code == 200, "issuing a link changes nothing yet"
    body = {"token": link["token"], "password": STRONG}
    assert client.post("/api/password-reset", json=body).status_code == 200
    assert member_client.get("/api/me").status_code == 401
    again = client.post("/api/password-reset", json=body | {"password": STRONG + " again"})
    assert (again.status_code, error_code(again)) == (403, "reset_link_invalid")
    assert client.post("/api/login", json={"username": "member", "password": STRONG}).status_code == 200


def test_a_new_link_closes_the_one_before(admin_client: PageClient, member: User, client: PageClient) -> None:
    first, second = (admin_client.post(f"{URL}/{member.id}/reset-link").json["token"] for _ in range(2))  # type: ignore[index]
    refused = client.post("/api/password-reset", json={"token": first, "password": STRONG})
    assert error_code(refused) == "reset_link_invalid"
    assert client.post("/api/password-reset", json={"token": second, "password": STRONG}).status_code == 200


@pytest.mark.parametrize("method_and_path", [("patch", ""), ("post", "/reset-link")])
def test_an_unknown_person_is_not_found(admin_client: PageClient, method_and_path: tuple[str, str]) -> None:
    method, path = method_and_path
    for unknown in (new_id(), "x", "x" * 300, "%27"):
        response = getattr(admin_client, method)(f"{URL}/{unknown}{path}", json={})
        assert (response.status_code, error_code(response)) == (404, "not_found")


def test_every_act_is_in_the_audit_log_without_secrets(owner_client: PageClient, owner: User) -> None:
    added = owner_client.post(URL, json={"username": "new", "password": STRONG}).json["user"]["id"]  # type: ignore[index]
    owner_client.patch(f"{URL}/{added}", json={"role": "admin"})
    token = owner_client.post(f"{URL}/{added}/reset-link").json["token"]  # type: ignore[index]
    assert audit() == [
        ("user.add", added, {"username": "new", "role": "member", "group": "Everyone"}),
        ("user.change", added, {"username": "new", "before": {"role": "member"}, "after": {"role": "admin"}}),
        ("user.reset_link", added, {"username": "new"}),
    ]
    with reading() as session:
        entries = list(session.scalars(select(AuditEntry)))
    assert {(entry.actor_id, entry.actor_name, entry.address) for entry in entries} == {
        (owner.id, "owner", "127.0.0.1")
    }
    assert not any(secret in entry.details for entry in entries for secret in (STRONG, token))


def test_a_refused_act_leaves_no_entry(admin_client: PageClient, admin: User, owner: User) -> None:
    admin_client.patch(f"{URL}/{owner.id}", json={"role": "member"})
    admin_client.post(f"{URL}/{owner.id}/reset-link")
    admin_client.post(URL, json={"username": "new", "role": "admin"})
    admin_client.post(URL, json={"username": "admin"})
    assert audit() == []


def test_no_reply_holds_a_hash(admin_client: PageClient, member: User) -> None:
    text = admin_client.get(URL).get_data(as_text=True)
    assert "member" in text
    assert "argon2" not in text
    assert "password" not in text


def test_members_and_strangers_reach_none_of_it(member_client: PageClient, client: PageClient, member: User) -> None:
    asked: list[Callable[[PageClient], Any]] = [
        lambda browser: browser.get(URL),
        lambda browser: browser.post(URL, json={"username": "x"}),
        lambda browser: browser.patch(f"{URL}/{member.id}", json={"role": "admin"}),
        lambda browser: browser.post(f"{URL}/{member.id}/reset-link"),
    ]
    for ask in asked:
        assert error_code(ask(member_client)) == "forbidden"
        assert error_code(ask(client)) == "sign_in_required"
    assert stored(member).role == "member"
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1
