"""Request bodies: strict JSON, exactly the named fields."""

import json
from contextlib import AbstractContextManager
from typing import Any

import pytest

from flask_app.web import bodies
from tests.support.clients import PageClient


def change(client: PageClient, raw: bytes | str) -> Any:
    return client.patch("/api/me", data=raw, content_type="application/json")


@pytest.mark.security("json-strict")
@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "{} {}",
        "{'theme': 'dark'}",
        '{"theme": NaN}',
        '{"theme": Infinity}',
        '{"theme": -Infinity}',
        '{"theme": "dark", "theme": "light"}',
        '{"theme": "\\ud800"}',
        '{"\\udfff": 1}',
        '{"theme": 9007199254740993}',
        '{"theme": 1e400}',
        '{"theme": 123456789012345678901234567890}',
        b'{"theme": "\xff"}',
        b'\xef\xbb\xbf{"theme": "dark"}',
        '{"theme": ' + "[" * 40 + "]" * 40 + "}",
        "[" * 60_000,
    ],
)
def test_what_json_readers_differ_about_is_refused(member_client: PageClient, raw: bytes | str) -> None:
    response = change(member_client, raw)
    assert (response.status_code, response.json["error"]["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    "body", [[], "dark", 1, None, True, {"theme": 1}, {"theme": True}, {"theme": ["dark"]}, {"colour": "dark"}]
)
def test_a_value_of_another_kind_is_refused(member_client: PageClient, body: object) -> None:
    response = change(member_client, json.dumps(body))
    assert (response.status_code, response.json["error"]["code"]) == (422, "invalid_field")


@pytest.mark.security("json-strict")
def test_a_number_is_no_flag_and_a_flag_no_number(admin_client: PageClient) -> None:
    for value in (0, 1, "true", "1"):
        response = admin_client.patch("/api/admin/users/x", json={"disabled": value})
        assert (response.status_code, response.json["error"]["code"]) == (422, "invalid_field")  # type: ignore[index]


@pytest.mark.security("bodies-bounded")
def test_a_body_over_the_cap_is_refused_before_it_is_read(member_client: PageClient) -> None:
    response = change(member_client, b'{"theme": "' + b"x" * (1 << 20) + b'"}')
    assert (response.status_code, response.json["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_by_any_of_its_names_is_read(member_client: PageClient, kind: str) -> None:
    assert member_client.patch("/api/me", data=b'{"theme": "dark"}', content_type=kind).status_code == 200


def test_what_anybody_may_send_is_short(client: PageClient) -> None:
    brackets = b'{"username":[' + b"[]," * 30_000 + b"[]]}"
    reply = client.post("/api/login", data=brackets, content_type="application/json")
    assert reply.status_code == 413


def test_a_body_that_does_not_come_is_told_so(member_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def over_at_once(seconds: float, error: type[Exception]) -> AbstractContextManager[object]:
        assert seconds == bodies.BODY_SECONDS
        raise error

    monkeypatch.setattr(bodies, "_limited", bodies._limited)
    bodies.limit_with(over_at_once)
    response = change(member_client, '{"theme": "dark"}')
    assert (response.status_code, response.json["error"]["code"]) == (408, "too_slow")
