"""Who is calling: forwarded headers count only from the proxies that the settings name."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import create_app
from flask_app.config import Config
from flask_app.database import reading
from flask_app.errors import ConfigError
from flask_app.models import LoginSession, User
from tests.conftest import PASSWORD
from tests.support.clients import HTTP, new_client, signed_in
from tests.support.events import events_of
from tests.support.scripted_upstream import ScriptedUpstream

FORWARDED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "localhost",
}
LOGIN: dict[str, Any] = {"json": {"username": "member", "password": PASSWORD}, "headers": FORWARDED}


@pytest.fixture
def behind_a_proxy(app: Flask, base_config: Config) -> Flask:
    """The application as it runs behind one proxy; `app` puts the settings back."""
    return create_app(dataclasses.replace(base_config, trusted_proxies=1))


def address_of_the_session() -> str:
    with reading() as session:
        return session.scalars(select(LoginSession.address)).one()


@pytest.mark.security("forwarded-headers")
def test_without_a_proxy_forwarded_headers_are_a_strangers_words(app: Flask, member: User) -> None:
    response = new_client(app, HTTP).post("/api/login", **LOGIN)
    assert address_of_the_session() == "127.0.0.1"
    assert response.headers["Set-Cookie"].startswith("mingchat="), "the connection itself is plain http"


@pytest.mark.security("forwarded-headers")
def test_behind_a_proxy_its_own_word_counts_and_no_earlier_one(behind_a_proxy: Flask, member: User) -> None:
    response = new_client(behind_a_proxy, HTTP).post("/api/login", **LOGIN)
    assert address_of_the_session() == "198.51.100.7"
    assert response.headers["Set-Cookie"].startswith("__Host-mingchat=")
    assert "Strict-Transport-Security" in response.headers


@pytest.mark.security("hosts-named")
def test_behind_a_proxy_the_host_is_checked_as_well(behind_a_proxy: Flask) -> None:
    headers = FORWARDED | {"X-Forwarded-Host": "evil.example"}
    assert new_client(behind_a_proxy, HTTP).get("/login", headers=headers).status_code == 400


def test_guesses_are_counted_by_the_forwarded_address(behind_a_proxy: Flask, member: User) -> None:
    client = new_client(behind_a_proxy, HTTP)

    def guess(number: int, address: str) -> int:
        wrong = {"username": f"person {number}", "password": PASSWORD}
        return client.post(
            "/api/login", json=wrong, headers={"X-Forwarded-For": f"10.0.0.{number}, {address}"}
        ).status_code

    assert [guess(number, "203.0.113.9") for number in range(21)] == [401] * 20 + [429]
    assert guess(0, "203.0.113.10") == 401


def test_a_rate_that_cannot_be_read_stops_the_start(app: Flask, base_config: Config) -> None:
    with pytest.raises(ConfigError, match="CHAT_RATE_LIMIT"):
        create_app(dataclasses.replace(base_config, chat_rate_limit="often"))


def test_a_message_that_is_sent_again_is_answered_beyond_the_limit(
    app: Flask, base_config: Config, upstream: ScriptedUpstream, member: User
) -> None:
    client = signed_in(create_app(dataclasses.replace(base_config, chat_rate_limit="1 per minute")), member)
    message = {"message": "hello", "idempotency_key": "of-one-press"}
    first = client.post("/api/chat", json=message)
    again = client.post("/api/chat", json=message)
    assert (first.status_code, again.status_code) == (200, 200)
    assert events_of(first.data) == events_of(again.data), "the reply to the first may have been lost"
    assert len(upstream.journal.chats) == 1
    assert client.post("/api/chat", json=message | {"idempotency_key": "of-another"}).status_code == 429


def test_the_chat_limit_counts_people_apart(app: Flask, base_config: Config, member: User, admin: User) -> None:
    strict = create_app(dataclasses.replace(base_config, chat_rate_limit="2 per minute"))
    one, other = signed_in(strict, member), signed_in(strict, admin)
    refusals = [one.post("/api/chat", json={"message": "", "model": "none"}) for _ in range(3)]
    assert [refused.status_code for refused in refusals][:2] != [429, 429]
    assert refusals[2].status_code == 429
    body = refusals[2].json
    assert body is not None
    assert body["error"]["code"] == "chat_rate_limited"
    assert body["error"]["params"] == {"seconds": int(refusals[2].headers["Retry-After"])}
    assert other.post("/api/chat", json={"message": ""}).status_code != 429
