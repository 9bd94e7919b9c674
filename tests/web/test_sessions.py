"""The session of a request: cookie, time-outs, who is seen when, and what it costs."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from flask_app.database import engine, reading, transaction, utc_now
from flask_app.engines import LOCK_SECONDS
from flask_app.models import LoginSession, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, visits
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import stored
from tests.support.gateway import Program, made

LOGIN = {"username": "member", "password": PASSWORD}


def session_of(client: PageClient) -> LoginSession:
    with reading() as session:
        return session.get_one(LoginSession, digest(client.session_token))


def age(client: PageClient, **values: object) -> None:
    with transaction() as session:
        session.execute(update(LoginSession).where(LoginSession.id == digest(client.session_token)).values(values))


def signed_in(client: PageClient) -> bool:
    return client.get("/api/me").status_code == 200


def cookie_lines(response: Any) -> dict[str, str]:
    return {line.split("=", 1)[0]: line for line in response.headers.getlist("Set-Cookie")}


@pytest.mark.security("cookie-of-this-host")
def test_over_https_the_cookie_is_bound_to_this_host(client: PageClient, member: User) -> None:
    cookies = cookie_lines(client.post("/api/login", json=LOGIN))
    theme = cookies.pop("theme")
    assert "HttpOnly" not in theme, "the page's script writes it too"
    assert "; Secure;" in theme
    assert set(cookies) == {"__Host-mingchat", "__Host-mingchat-browser"}
    for line in cookies.values():
        attributes = set(line.split("; ")[1:])
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
        assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_over_http_the_cookie_has_a_plain_name(plain_client: PageClient, member: User) -> None:
    cookies = cookie_lines(plain_client.post("/api/login", json=LOGIN))
    assert set(cookies) == {"mingchat", "mingchat-browser", "theme"}
    del cookies["theme"]
    assert all("HttpOnly" in line and "Secure" not in line for line in cookies.values())
    assert signed_in(plain_client)


@pytest.mark.security("cookie-of-this-host")
def test_over_https_a_plain_cookie_opens_nothing(member_client: PageClient, client: PageClient) -> None:
    client.set_cookie("mingchat", member_client.session_token)
    assert not signed_in(client)


@pytest.mark.security("session-id-random")
def test_the_cookie_holds_256_random_bits_and_the_table_only_their_digest(member_client: PageClient) -> None:
    token = member_client.session_token
    assert len(token) == 43
    with reading() as session:
        rows = session.execute(select(LoginSession.__table__)).mappings().all()
    assert len(rows) == 1
    assert rows[0]["id"] == digest(token)
    assert token not in str(rows)


@pytest.mark.parametrize("token", ["", "x", "x" * 4000, "' OR 1=1 --", "%00", "é"])
def test_an_unknown_cookie_is_nobody(client: PageClient, token: str) -> None:
    client.set_cookie("__Host-mingchat", token, secure=True)
    assert not signed_in(client)


@pytest.mark.security("session-id-random", "shared-beginnings")
def test_two_tokens_with_a_shared_beginning_never_share_a_person(member_client: PageClient, client: PageClient) -> None:
    client.set_cookie("__Host-mingchat", member_client.session_token[:-1] + "_", secure=True)
    assert not signed_in(client)


@pytest.mark.security("session-time-outs")
def test_a_session_ends_fourteen_days_after_its_last_use(member_client: PageClient) -> None:
    before = session_of(member_client)
    assert timedelta(days=13, hours=23) < before.expires_at - utc_now() <= timedelta(days=14)
    age(member_client, expires_at=utc_now() - timedelta(seconds=1))
    assert not signed_in(member_client)


@pytest.mark.security("session-time-outs")
def test_use_puts_the_end_off_but_not_beyond_sixty_days(member_client: PageClient) -> None:
    began = utc_now() - timedelta(days=59)
    age(member_client, created_at=began, last_seen_at=utc_now() - timedelta(hours=1))
    assert signed_in(member_client)
    assert session_of(member_client).expires_at == began + timedelta(days=60)


def test_seen_is_written_at_most_once_a_minute(
    member_client: PageClient, member: User, query_count: Callable[[], Any]
) -> None:
    with query_count() as statements:
        assert signed_in(member_client)
    assert [statement.split()[0] for statement in statements] == ["SELECT"]
    past = utc_now() - timedelta(seconds=61)
    age(member_client, last_seen_at=past)
    with query_count() as statements:
        assert signed_in(member_client)
        assert signed_in(member_client)
    assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT", "UPDATE", "UPDATE", "SELECT"]
    assert session_of(member_client).last_seen_at > past
    with reading() as session:
        assert session.get_one(User, member.id).last_seen_at == session_of(member_client).last_seen_at


def test_nobody_waits_to_be_seen(member_client: PageClient, member: User) -> None:
    """SQLite has no locks of rows: whoever writes is alone, and briefly."""
    age(member_client, last_seen_at=(past := utc_now() - timedelta(seconds=61)))
    if engine().dialect.name != "sqlite":
        with transaction() as session:
            session.execute(select(User.id).where(User.id == member.id).with_for_update())
            began = time.monotonic()
            assert signed_in(member_client)
            assert time.monotonic() - began < LOCK_SECONDS
        assert session_of(member_client).last_seen_at == past
    assert signed_in(member_client)
    assert session_of(member_client).last_seen_at > past


@pytest.mark.parametrize("path", ["/healthz", "/static/0/x.css"])
def test_what_needs_nobody_asks_nobody(member_client: PageClient, query_count: Callable[[], Any], path: str) -> None:
    with query_count() as statements:
        member_client.get(path)
    assert statements == []


def test_signing_in_ends_sessions_whose_time_is_over(member: User, sign_in: SignIn) -> None:
    old, open_one = sign_in(member), sign_in(member)
    age(old, expires_at=utc_now() - timedelta(days=1))
    sign_in(member)
    with reading() as session:
        kept = set(session.scalars(select(LoginSession.id)))
    assert digest(old.session_token) not in kept
    assert digest(open_one.session_token) in kept


@pytest.mark.security("disabled-is-out")
def test_a_deleted_person_is_signed_out(member_client: PageClient, member: User) -> None:
    with transaction() as session:
        session.execute(delete(User).where(User.id == member.id))
    assert not signed_in(member_client)


def test_a_disabled_persons_session_opens_nothing_even_while_it_is_there(
    member_client: PageClient, member: User
) -> None:
    with transaction() as session:
        session.execute(update(User).where(User.id == member.id).values(disabled=True))
    assert member_client.get("/api/me").status_code == 401


def test_a_session_that_ended_is_not_revived_by_a_late_note(member_client: PageClient) -> None:
    visited = visits.visit(member_client.session_token)
    assert visited
    age(member_client, last_seen_at=(past := utc_now() - timedelta(hours=1)))
    auth_service.sign_out(visited.session_id)
    visits.see(visits.Visit(visited.user, visited.session_id, visited.created_at, past), "en")
    assert not signed_in(member_client)


def test_the_saved_language_wins_over_the_browsers(member_client: PageClient, client: PageClient) -> None:
    english = {"Accept-Language": "en"}
    assert client.get("/api/me", headers=english).json["error"]["message"] == "Sign in first."  # type: ignore[index]
    member_client.patch("/api/me", json={"locale": "zh"})
    refused = member_client.get("/api/conversations/x", headers=english).json
    assert refused["error"]["message"].startswith("找不到")  # type: ignore[index]


def test_the_database_is_asked_once_a_request(
    app: Flask, member_client: PageClient, query_count: Callable[[], Any]
) -> None:
    with query_count() as statements:
        member_client.get("/api/me")
    assert len(statements) == 1


def test_a_program_is_told_in_the_language_that_its_person_last_saw(
    app: Flask, client: PageClient, member: User
) -> None:
    program, in_japanese = Program(app, made(member).secret), {"Accept-Language": "ja"}

    def told() -> str:
        message: str = program.complete(model="?").json["error"]["message"]  # type: ignore[index]
        return message

    assert told().startswith("没有"), "they have seen no page"
    reply = client.post("/api/login", json=LOGIN, headers={"Accept-Language": "en-GB"})
    assert reply.get_json()["user"]["locale"] is None, "they have chosen none"
    client.csrf_token = reply.get_json()["csrf_token"]
    assert told().startswith("There is no model"), "from the sign-in on"

    assert '<html lang="ja"' in client.get("/account", headers=in_japanese).text, "pages go by the browser as before"
    assert told().startswith("There is no model"), "noted once a minute"
    age(client, last_seen_at=utc_now() - timedelta(hours=1))
    client.get("/account", headers=in_japanese)
    assert "モデル" in told()

    client.patch("/api/me", json={"locale": "zh"})
    assert told().startswith("没有"), "what was chosen holds"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("en", "There is no model"),
        ("fr, ja;q=0.5", "モデル"),
        ("*", "没有"),
        ("fr", "没有"),
        ("ja;q=0", "没有"),
        ("zh-TW", "沒有"),
    ],
)
def test_a_program_that_asks_for_a_language_is_told_in_it(
    app: Flask, make_user: MakeUser, asked: str, words: str
) -> None:
    """Where we have it; what its person chose wins."""
    for chosen in (None, "ja"):
        reader = make_user(f"reader{chosen}", locale=chosen, seen_locale="zh")
        program = Program(app, made(reader).secret)
        program.headers["Accept-Language"] = asked
        message = program.complete(model="?").get_json()["error"]["message"]
        assert ("モデル" if chosen else words) in message


def test_a_script_that_names_no_language_shows_its_person_no_page(client: PageClient, member: User) -> None:
    for headers, seen in (({"Accept-Language": "en"}, "en"), ({}, "en"), ({"Accept-Language": "*"}, "en")):
        client.csrf_token = client.post("/api/login", json=LOGIN, headers=headers).get_json()["csrf_token"]
        assert stored(member).seen_locale == seen
        age(client, last_seen_at=utc_now() - timedelta(hours=1))
        assert client.get("/api/me", headers=headers).status_code == 200
        assert utc_now() - session_of(client).last_seen_at < timedelta(minutes=1), "it was noted"
        assert stored(member).seen_locale == seen
    client.post("/api/login", json=LOGIN, headers={"Accept-Language": "ja"})
    assert stored(member).seen_locale == "ja"
