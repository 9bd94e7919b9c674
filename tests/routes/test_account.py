"""One's own account: choices and password."""

import pytest
from flask import Flask

from flask_app.models import User
from flask_app.services.people import account_service
from tests.conftest import PASSWORD, SignIn
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login, stored
from tests.support.warned import use_mail

USER_COLUMNS = [column.key for column in User.__table__.columns]


def test_choices_are_kept_and_the_rest_stays(member_client: PageClient) -> None:
    member_client.patch("/api/me", json={"locale": "en", "theme": "dark", "timezone": "Europe/Berlin"})
    user = member_client.patch("/api/me", json={"theme": "light"}).json["user"]  # type: ignore[index]
    assert (user["locale"], user["theme"], user["timezone"]) == ("en", "light", "Europe/Berlin")
    assert member_client.get("/api/me").json["user"] == user  # type: ignore[index]


def test_an_address_is_given_changed_and_taken_back(member_client: PageClient, member: User) -> None:
    given = member_client.patch("/api/me", json={"email": " Me@例子.中国 "}).json["user"]  # type: ignore[index]
    assert (given["email"], given["warn_by_email"]) == ("Me@例子.中国", True)
    kept = member_client.patch("/api/me", json={"warn_by_email": False, "theme": "dark"}).json["user"]  # type: ignore[index]
    assert (kept["email"], kept["warn_by_email"]) == ("Me@例子.中国", False)
    assert member_client.get("/api/me").json["user"] == kept  # type: ignore[index]
    member_client.patch("/api/me", json={"email": "  "})
    assert stored(member).email is None


@pytest.mark.parametrize(
    "email", ["me", "me@", "a@b.com, c@d.com", "me@x.com\r\nBcc: you@x.com", "x" * 300 + "@x.com", "me@localhost"]
)
def test_what_is_no_address_is_refused(member_client: PageClient, member: User, email: str) -> None:
    response = member_client.patch("/api/me", json={"email": email, "theme": "dark"})
    assert (response.status_code, error_code(response)) == (422, "bad_email")
    assert (stored(member).email, stored(member).theme) == (None, None)


def test_the_page_offers_warnings_only_where_mail_can_be_sent(member_client: PageClient) -> None:
    assert b"data-warnings-form" not in member_client.get("/account").data
    use_mail()
    assert b"data-warnings-form" in member_client.get("/account").data


@pytest.mark.parametrize(
    "body",
    [
        {"locale": "fr"},
        {"theme": "pink"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../../etc/passwd"},
        {"timezone": "../x"},
        {"timezone": "localtime"},
        {"timezone": "Factory"},
        {"timezone": "posixrules"},
        {"timezone": "posix/Asia/Shanghai"},
        {"timezone": "right/Asia/Shanghai"},
        {"timezone": "asia/shanghai"},
        {"timezone": "/usr/share/zoneinfo/UTC"},
        {"timezone": ""},
        {"timezone": "x" * 1000},
    ],
)
def test_an_unknown_choice_is_refused(member_client: PageClient, body: dict[str, str]) -> None:
    assert member_client.patch("/api/me", json=body).status_code == 422


@pytest.mark.security("fields-named")
@pytest.mark.parametrize(
    "column", [column.key for column in User.__table__.columns if column.key not in account_service.CHOICES]
)
def test_no_other_column_can_be_written(member_client: PageClient, member: User, column: str) -> None:
    values = {name: getattr(stored(member), name) for name in USER_COLUMNS}
    for value in ("admin", True, None, 1):
        assert member_client.patch("/api/me", json={column: value, "theme": "dark"}).status_code == 422
    assert {name: getattr(stored(member), name) for name in values} == values


@pytest.mark.security("session-renewed", "password-ends-sessions")
def test_a_new_password_ends_the_other_sessions_and_renews_this_one(
    member: User, member_client: PageClient, sign_in: SignIn, app: Flask, client: PageClient
) -> None:
    other, before = sign_in(member), member_client.session_token
    changed = member_client.post("/api/me/password", json={"current": PASSWORD, "new": STRONG})
    assert changed.status_code == 204
    assert other.get("/api/me").status_code == 401
    assert member_client.session_token != before
    member_client.csrf_token = changed.headers["X-CSRF-Token"]
    assert member_client.patch("/api/me", json={"theme": "dark"}).status_code == 200
    thief = new_client(app)
    thief.set_cookie("__Host-mingchat", before, secure=True)
    assert thief.get("/api/me").status_code == 401
    assert login(client).status_code == 401
    assert login(client, password=STRONG).status_code == 200


def test_the_current_password_must_be_right(member_client: PageClient, member: User) -> None:
    statuses = [
        member_client.post("/api/me/password", json={"current": STRONG, "new": STRONG}).status_code for _ in range(11)
    ]
    assert statuses == [403] * 10 + [429]
    assert stored(member).password_hash == member.password_hash


def test_a_weak_new_password_changes_nothing(member_client: PageClient, member: User) -> None:
    refused = member_client.post("/api/me/password", json={"current": PASSWORD, "new": "member member member"})
    assert refused.status_code == 422
    assert stored(member).password_hash == member.password_hash
    assert member_client.get("/api/me").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("get", "/api/me"), ("patch", "/api/me"), ("post", "/api/me/password")])
def test_signed_out_there_is_no_account(client: PageClient, method: str, path: str) -> None:
    response = getattr(client, method)(path, **({} if method == "get" else {"json": {}}))
    assert (response.status_code, error_code(response)) == (401, "sign_in_required")
