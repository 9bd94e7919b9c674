"""Changes come from our own pages only."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from flask_app.models import User
from tests.conftest import PASSWORD, SignIn
from tests.support.clients import HTTP, HTTPS, PageClient, new_client

JSON = {"Accept": "application/json"}
CHANGE = {"json": {"theme": "dark"}}
LOGIN = {"json": {"username": "member", "password": PASSWORD}}


def outcome(response: Any) -> str:
    return "ok" if response.status_code < 400 else str(response.json["error"]["code"])


def test_a_change_needs_the_sessions_token(member_client: PageClient) -> None:
    right = member_client.csrf_token
    assert outcome(member_client.patch("/api/me", **CHANGE)) == "ok"
    for wrong in ("", "x", right[:-1], right + "0", right.upper(), "é"):
        member_client.csrf_token = wrong
        assert outcome(member_client.patch("/api/me", **CHANGE)) == "csrf_failed"


def test_another_sessions_token_is_not_enough(member: User, sign_in: SignIn) -> None:
    one, other = sign_in(member), sign_in(member)
    one.csrf_token = other.csrf_token
    assert outcome(one.patch("/api/me", **CHANGE)) == "csrf_failed"


@pytest.mark.security("changes-from-our-pages")
def test_every_unsafe_method_of_every_route_needs_it(app: Flask, admin_client: PageClient) -> None:
    """Whatever the route does with the request, the token is looked at first."""
    admin_client.csrf_token = ""
    free = {"/api/login", "/api/login/second-step", "/api/setup", "/api/password-reset", "/api/password-reset/check"}
    free |= {"/api/password-reset/letter"}
    free |= {"/api/login/passkey", "/api/login/passkey/options"}
    free |= {"/api/join", "/api/join/check", "/api/register", "/api/register/confirm"}
    free |= {"/api/login/identity", "/api/login/identity/finish"}
    tried = 0
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<path:{argument}>", "x").replace(f"<{argument}>", "x")
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            if path not in free and not path.startswith("/v1/"):  # there no cookie counts
                tried += 1
                assert outcome(admin_client.open(path, method=method, json={}, headers=JSON)) == "csrf_failed", (
                    method,
                    path,
                )
    assert tried > 5


def test_reading_needs_no_token(member_client: PageClient) -> None:
    member_client.csrf_token = ""
    assert outcome(member_client.get("/api/me")) == "ok"


@pytest.mark.security("changes-from-our-pages")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "https://localhost.evil.example"},
        {"Origin": "https://localhost:8443"},
        {"Origin": "http://localhost"},
        {"Origin": "ftp://localhost"},
        {"Origin": "https://["},
        {"Origin": "https://[::1"},
        {"Origin": "https://evil.example@localhost"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_another_site_is_refused_even_with_the_token(
    member_client: PageClient, member: User, client: PageClient, headers: dict[str, str]
) -> None:
    assert outcome(member_client.patch("/api/me", headers=headers, **CHANGE)) == "foreign_origin"
    assert outcome(client.post("/api/login", headers=headers, **LOGIN)) == "foreign_origin"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://localhost"},
        {"Origin": "https://LOCALHOST", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_pages_and_command_line_clients_pass(
    member_client: PageClient, member: User, client: PageClient, headers: dict[str, str]
) -> None:
    assert outcome(member_client.patch("/api/me", headers=headers, **CHANGE)) == "ok"
    assert outcome(client.post("/api/login", headers=headers, **LOGIN)) == "ok"


def test_the_origin_has_the_port_of_the_page(app: Flask, member: User) -> None:
    client = new_client(app, f"{HTTP}:5000")
    assert outcome(client.post("/api/login", headers={"Origin": f"{HTTP}:5000"}, **LOGIN)) == "ok"
    assert outcome(client.post("/api/login", headers={"Origin": f"{HTTP}:5001"}, **LOGIN)) == "foreign_origin"
    assert outcome(client.post("/api/login", headers={"Origin": HTTP}, **LOGIN)) == "foreign_origin"


def test_a_page_over_tls_passes_where_a_proxy_ends_it_untold(plain_client: PageClient, member: User) -> None:
    assert outcome(plain_client.post("/api/login", headers={"Origin": HTTPS}, **LOGIN)) == "ok"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", ""])
@pytest.mark.parametrize(
    "path",
    ["/api/login", "/api/setup", "/api/password-reset", "/api/password-reset/check", "/api/join", "/api/join/check"],
)
def test_a_form_of_another_site_cannot_sign_in(client: PageClient, path: str, kind: str) -> None:
    response = client.post(path, data=b'{"username": "member", "password": "x"}', content_type=kind)
    assert outcome(response) == "json_required"


def test_signing_in_over_a_session_needs_no_token(member_client: PageClient) -> None:
    member_client.csrf_token = ""
    assert outcome(member_client.post("/api/login", headers={"Origin": HTTPS}, **LOGIN)) == "ok"


@pytest.mark.security("reading-changes-nothing")
def test_get_changes_nothing(app: Flask, admin_client: PageClient, query_count: Callable[[], Any]) -> None:
    admin_client.get("/api/models")  # the first use keeps the environment's key
    for path in ("/", "/login", "/setup", "/reset", "/join", "/api/me", "/api/admin/users", "/logout", "/api/login"):
        with query_count() as statements:
            admin_client.get(path)
        assert not [statement for statement in statements if not statement.startswith("SELECT")], path
    assert outcome(admin_client.get("/api/me")) == "ok"


def test_the_page_carries_the_token_of_its_session(member_client: PageClient) -> None:
    page = member_client.get("/").get_data(as_text=True)
    assert f'name="csrf-token" content="{member_client.csrf_token}"' in page
