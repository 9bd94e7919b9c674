"""Signing in and out."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask

from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.people import passwords
from tests.conftest import PASSWORD, MakeUser
from tests.support import authenticator
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login, stored

LOGIN = {"username": "member", "password": PASSWORD}
TIMES = 15  # of each kind: of a busy machine's times one in ten is longer by a quarter, but no eight of these are


def test_signing_in_gives_a_session_and_its_csrf_token(client: PageClient, member: User) -> None:
    response = client.post("/api/login", json=LOGIN)
    assert response.status_code == 200
    body = response.json
    assert body is not None
    assert set(body) == {"user", "csrf_token"}
    assert set(body["user"]) == {
        *("id", "username", "role", "owner", "locale", "theme", "timezone", "disabled", "online"),
        *("created_at", "last_sign_in_at", "last_seen_at", "email", "email_confirmed", "warn_by_email"),
    }
    assert body["user"]["created_at"].endswith("Z")
    assert client.get("/api/me").json == body
    assert stored(member).last_sign_in_at is not None


@pytest.mark.parametrize("name", ["member", "MEMBER", "ｍember", " member "])
def test_a_name_may_be_typed_in_any_case_and_width(client: PageClient, member: User, name: str) -> None:
    assert login(client, name).status_code == 200


@pytest.mark.security("same-answer-for-unknown", "names-not-told")
def test_known_and_unknown_people_get_the_same_answer(client: PageClient, member: User, make_user: MakeUser) -> None:
    invited("invited")
    make_user("disabled", disabled=True)
    wrong = [login(client, name, STRONG) for name in ("member", "nobody", "invited", "disabled", "")]
    assert {response.status_code for response in wrong} == {401}
    assert {error_code(response) for response in wrong} == {"wrong_credentials"}
    assert len({(response.json["error"]["message"], len(response.data)) for response in wrong}) == 1
    assert len({tuple(sorted(response.headers.keys())) for response in wrong}) == 1


@pytest.mark.security("same-answer-for-unknown", "names-not-told")
def test_known_and_unknown_people_take_the_same_time(app: Flask, make_user: MakeUser) -> None:
    """Time of the processor in this thread, which does the hashing here: other load does not disturb it.

    All kinds are asked in turn, many times, and their medians compared: a step that one kind is spared shows in all of
    its times, a machine that is slow for a moment in few.
    """

    def seconds(username: str, address: str) -> float:
        client = new_client(app)
        begun = time.thread_time()
        assert login(client, username, STRONG, address).status_code == 401
        return time.thread_time() - begun

    kinds: dict[str, Callable[[int], str]] = {
        "unknown": lambda number: f"nobody {number}",
        "known": lambda number: make_user(f"known {number}").username,
        "disabled": lambda number: make_user(f"disabled {number}", disabled=True).username,
        "with a second step": lambda number: with_second_step(make_user(f"careful {number}")).username,
        "without a password": lambda number: invited(f"invited {number}").username,
        "an administrator": lambda number: make_user(f"administrator {number}", "admin").username,
    }
    names = {kind: [named(number) for number in range(TIMES)] for kind, named in kinds.items()}
    seconds("warm", "192.0.2.1")
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(TIMES):
        for place, kind in enumerate(kinds):
            times[kind].append(seconds(names[kind][number], f"198.51.{place}.{number}"))
    unknown = median(times.pop("unknown"))
    assert unknown > 0.005, "a hash must have been made"
    assert {kind: median(taken) for kind, taken in times.items()} == {
        kind: pytest.approx(unknown, rel=0.25) for kind in times
    }


def invited(username: str) -> User:
    """Somebody who has not chosen a password yet."""
    user = User(username=username, username_key=username)
    with transaction() as session:
        session.add(user)
    return user


def with_second_step(user: User) -> User:
    authenticator.turn_on(user)
    return user


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "member"},
        {"username": "member", "password": None},
        {"username": ["member"], "password": PASSWORD},
        {"username": "member", "password": PASSWORD, "role": "admin"},
    ],
)
def test_a_body_that_is_not_as_expected_is_refused(client: PageClient, member: User, body: dict[str, Any]) -> None:
    assert client.post("/api/login", json=body).status_code == 422


@pytest.mark.parametrize("raw", [b"", b"{", b'{"username": "\xff"}', b'{"username": "\\ud800", "password": "x"}'])
def test_a_body_that_is_not_json_is_refused(client: PageClient, raw: bytes) -> None:
    assert client.post("/api/login", data=raw, content_type="application/json").status_code == 400


def test_a_hostile_name_or_password_is_only_wrong(client: PageClient, member: User) -> None:
    for hostile in ("' OR '1'='1", "member\x00", "%", "a" * 30_000, "{0.__class__}"):
        assert login(client, hostile, hostile).status_code in {401, 422}


@pytest.mark.security("session-renewed")
def test_the_session_id_changes_at_sign_in_and_the_old_one_ends(client: PageClient, member: User, app: Flask) -> None:
    login(client)
    first = client.session_token
    client.csrf_token = ""
    login(client)
    assert client.session_token != first
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", first, secure=True)
    assert thief.get("/api/me").status_code == 401


@pytest.mark.security("session-renewed")
def test_a_planted_cookie_does_not_become_a_session(client: PageClient, member: User) -> None:
    client.set_cookie("__Host-mingchat", "planted", secure=True)
    login(client)
    assert client.session_token != "planted"


@pytest.mark.security("sign-out-on-the-server", "nothing-is-kept")
def test_signing_out_ends_the_session_on_the_server(member_client: PageClient, app: Flask) -> None:
    token = member_client.session_token
    response = member_client.post("/logout")
    assert response.status_code == 204
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert member_client.session_token == ""
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", token, secure=True)
    assert thief.get("/api/me").status_code == 401


def test_signing_out_ends_only_this_session_and_keeps_the_device(
    client: PageClient, member: User, member_client: PageClient
) -> None:
    client.csrf_token = login(client).json["csrf_token"]
    client.post("/logout")
    assert member_client.get("/api/me").status_code == 200
    assert client.get_cookie("__Host-mingchat-browser") is not None


def test_signing_out_twice_is_no_failure(member_client: PageClient) -> None:
    assert [member_client.post("/logout").status_code for _ in range(2)] == [204, 204]


@pytest.mark.security("argon2id")
def test_a_hash_of_weaker_parameters_is_replaced_at_sign_in(client: PageClient, member: User) -> None:
    weak = PasswordHasher(memory_cost=8192, time_cost=1).hash(PASSWORD)
    with transaction() as session:
        session.get_one(User, member.id).password_hash = weak
    assert login(client, password=STRONG).status_code == 401
    assert stored(member).password_hash == weak
    assert login(client).status_code == 200
    fresh = stored(member).password_hash
    assert fresh is not None
    assert not passwords.is_outdated(fresh)
    assert login(client).status_code == 200


@pytest.mark.parametrize("path", ["/", "/dashboard", "/c/01abc?x=1#y", "/admin/users?q=%E6%9D%8E", "/x?q=https://y//z"])
def test_after_signing_in_one_goes_on_where_one_was(client: PageClient, admin: User, path: str) -> None:
    page = client.get("/login", query_string={"next": path}).get_data(as_text=True)
    assert f'data-next="{path}"' in page


@pytest.mark.security("no-open-redirect")
@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/x\\..\\evil",
        "/.//evil.example",
        "/%2e//evil.example",
        "/x/..//evil.example",
        "/x//evil.example?a=b",
    ],
)
def test_nobody_is_sent_to_another_site(client: PageClient, member_client: PageClient, admin: User, path: str) -> None:
    assert 'data-next="/"' in client.get("/login", query_string={"next": path}).get_data(as_text=True)
    assert member_client.get("/login", query_string={"next": path}).location == "/"


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/", "/login"),
        ("/dashboard", "/login?next=/dashboard"),
        ("/admin/users?q=%E6%9D%8E&x=1", "/login?next=/admin/users%3Fq%3D%25E6%259D%258E%26x%3D1"),
        ("/c/a%26b%23d", "/login?next=/c/a%26b%23d"),
        ("/c/x%0d%0aSet-Cookie:%20a=b", "/login"),
    ],
)
def test_signed_out_a_page_leads_to_sign_in_and_back(client: PageClient, asked: str, location: str) -> None:
    response = client.get(asked, headers={"Accept": "text/html"})
    assert (response.status_code, response.location) == (302, location)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("own", "told", "kept"), [(None, "Asia/Kathmandu", "Asia/Kathmandu"), (None, "Mars/Base", None)]
)
def test_the_browsers_time_zone_is_kept_where_it_is_known(
    client: PageClient, make_user: MakeUser, own: str | None, told: str, kept: str | None
) -> None:
    make_user("ada", timezone=own)
    reply = client.post("/api/login", json={"username": "ada", "password": PASSWORD, "timezone": told})
    assert reply.status_code == 200
    assert reply.get_json()["user"]["timezone"] == kept


def test_a_time_zone_that_was_chosen_stays(client: PageClient, make_user: MakeUser) -> None:
    make_user("ada", timezone="Europe/Paris")
    reply = client.post("/api/login", json={"username": "ada", "password": PASSWORD, "timezone": "Asia/Tokyo"})
    assert reply.get_json()["user"]["timezone"] == "Europe/Paris"
