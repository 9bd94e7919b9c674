"""Signing in with a second step: what the password alone opens, and what a code does."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import reading, transaction, utc_now
from flask_app.models import AuditEntry, LoginSession, PendingSignIn, User
from tests.conftest import PASSWORD, MakeUser
from tests.support import authenticator
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login, stored

COOKIE = "__Host-mingchat-second-step"
DEVICE = "__Host-mingchat-browser"


@pytest.fixture
def secret(member: User) -> str:
    return authenticator.turn_on(member)[0]


def finish(client: PageClient, code: str, address: str = "192.0.2.1", **told: str) -> Any:
    overrides = {"REMOTE_ADDR": address}
    return client.post("/api/login/second-step", json={"code": code} | told, environ_overrides=overrides)


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, error_code(response)


def sessions() -> int:
    with reading() as session:
        return len(session.scalars(select(LoginSession)).all())


def test_the_password_alone_opens_nothing(client: PageClient, member: User, secret: str) -> None:
    first = login(client)
    assert outcome(first) == (401, "second_step_needed")
    assert client.session_token == ""
    assert client.get_cookie(DEVICE) is None
    assert client.get("/api/me").status_code == 401
    assert sessions() == 0
    assert stored(member).last_sign_in_at is None
    second = finish(client, authenticator.code(secret), timezone="Europe/Berlin")
    assert second.status_code == 200
    assert second.json["user"]["username"] == "member"
    assert client.get("/api/me").json == second.json
    assert stored(member).timezone == "Europe/Berlin"
    assert client.get_cookie(COOKIE) is None
    assert client.get_cookie(DEVICE) is not None


def test_only_the_browser_has_the_pending_sign_in(client: PageClient, member: User, secret: str) -> None:
    kept = next(header for header in login(client).headers.getlist("Set-Cookie") if header.startswith(COOKIE))
    for word in ("HttpOnly", "SameSite=Lax", "Secure", "Max-Age=300", "Path=/"):
        assert word in kept
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    with reading() as session:
        (pending,) = session.scalars(select(PendingSignIn))
    assert cookie.value not in pending.id
    assert 290 < (pending.expires_at - utc_now()).total_seconds() <= 300


def test_a_wrong_password_says_nothing_of_a_second_step(client: PageClient, member: User, secret: str) -> None:
    wrong = login(client, password=STRONG)
    assert outcome(wrong) == (401, "wrong_credentials")
    assert "Set-Cookie" not in wrong.headers


@pytest.mark.security("second-step-codes")
def test_a_code_works_once(app: Flask, client: PageClient, member: User, secret: str) -> None:
    code = authenticator.code(secret)
    login(client)
    assert finish(client, code).status_code == 200
    other = new_client(app)
    login(other)
    assert outcome(finish(other, code)) == (403, "wrong_second_step_code")
    assert outcome(finish(other, authenticator.code(secret, steps=-1))) == (403, "wrong_second_step_code")
    assert finish(other, authenticator.code(secret, steps=1)).status_code == 200


def test_a_code_of_the_step_before_works_once(app: Flask, member: User, secret: str) -> None:
    now = authenticator.code(secret)
    before = authenticator.code(secret, steps=-1)
    statuses = []
    for code in (before, before, now, now):
        client = new_client(app)
        login(client)
        statuses.append(finish(client, code).status_code)
    assert statuses == [200, 403, 200, 403]


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_a_code_of_another_time_is_wrong(client: PageClient, secret: str, steps: int) -> None:
    login(client)
    assert finish(client, authenticator.code(secret, steps=steps)).status_code == 403


@pytest.mark.parametrize("form", ["{} {}", " {}{} ", "{}-{}"])
def test_digits_are_read_whatever_stands_between(client: PageClient, secret: str, form: str) -> None:
    login(client)
    code = authenticator.code(secret)
    assert finish(client, form.format(code[:3], code[3:])).status_code == 200


def test_full_width_digits_are_digits(client: PageClient, secret: str) -> None:
    login(client)
    wide = authenticator.code(secret).translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert finish(client, wide).status_code == 200


@pytest.mark.security("second-step-codes")
def test_a_recovery_code_works_once(app: Flask, member: User) -> None:
    _, codes = authenticator.turn_on(member)
    clients = [new_client(app) for _ in range(3)]
    for client in clients:
        login(client)
    tried = zip(clients, (codes[0], codes[0], codes[1].lower()), strict=True)
    assert [finish(client, code).status_code for client, code in tried] == [200, 403, 200]
    assert clients[2].get("/api/me/second-step").json == {"on": True, "recovery_codes_left": 8}
    with reading() as session:
        used = session.scalars(select(AuditEntry).where(AuditEntry.action == "second_step.use_recovery_code")).all()
    assert [(entry.actor_id, entry.address) for entry in used] == [(member.id, "192.0.2.1")] * 2
    assert not [entry for entry in used if codes[0] in entry.details]


def test_five_wrong_codes_end_the_sign_in(client: PageClient, secret: str) -> None:
    login(client)
    wrong = authenticator.wrong(secret)
    assert [outcome(finish(client, wrong))[0] for _ in range(5)] == [403] * 5
    assert outcome(finish(client, authenticator.code(secret))) == (401, "sign_in_expired")
    login(client)
    assert finish(client, authenticator.code(secret)).status_code == 200


def test_a_sign_in_waits_five_minutes(client: PageClient, secret: str) -> None:
    login(client)
    with transaction() as session:
        session.execute(update(PendingSignIn).values(expires_at=utc_now()))
    assert outcome(finish(client, authenticator.code(secret))) == (401, "sign_in_expired")
    login(client)
    with reading() as session:
        assert len(session.scalars(select(PendingSignIn)).all()) == 1, "what is over goes with the next one"


def test_a_finished_sign_in_opens_nothing_again(app: Flask, client: PageClient, secret: str) -> None:
    login(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert finish(client, authenticator.code(secret)).status_code == 200
    thief = new_client(app)
    thief.set_cookie(COOKIE, cookie.value, secure=True)
    assert outcome(finish(thief, authenticator.code(secret, steps=1))) == (401, "sign_in_expired")


@pytest.mark.parametrize("token", ["", "never made", "é", "' OR 1=1 --"])
def test_a_code_alone_opens_nothing(client: PageClient, secret: str, token: str) -> None:
    client.set_cookie(COOKIE, token, secure=True)
    assert outcome(finish(client, authenticator.code(secret))) == (401, "sign_in_expired")


def test_a_pending_sign_in_takes_its_own_persons_codes_alone(
    client: PageClient, secret: str, make_user: MakeUser
) -> None:
    other = make_user("other")
    foreign, codes = authenticator.turn_on(other)
    login(client)
    assert finish(client, authenticator.code(foreign)).status_code == 403
    assert finish(client, codes[0]).status_code == 403
    assert client.get("/api/me").status_code == 401


def test_disabling_a_person_ends_their_sign_in_under_way(
    client: PageClient, member: User, secret: str, admin_client: PageClient
) -> None:
    login(client)
    for disabled in (True, False):
        admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": disabled})
    assert outcome(finish(client, authenticator.code(secret))) == (401, "sign_in_expired")


@pytest.mark.security("password-ends-sessions")
def test_a_changed_password_ends_the_sign_in_under_way(
    client: PageClient, member_client: PageClient, secret: str
) -> None:
    login(client)
    assert member_client.post("/api/me/password", json={"current": PASSWORD, "new": STRONG}).status_code == 204
    assert outcome(finish(client, authenticator.code(secret))) == (401, "sign_in_expired")


def test_the_session_that_the_browser_had_before_ends(app: Flask, admin_client: PageClient, secret: str) -> None:
    before = admin_client.session_token
    login(admin_client)
    assert admin_client.get("/api/me").json["user"]["username"] == "admin"  # type: ignore[index]
    finish(admin_client, authenticator.code(secret))
    assert admin_client.get("/api/me").json["user"]["username"] == "member"  # type: ignore[index]
    left_over = new_client(app)
    left_over.set_cookie("__Host-mingchat", before, secure=True)
    assert left_over.get("/api/me").status_code == 401


def test_wrong_codes_count_against_the_person_from_whatever_address(
    app: Flask, client: PageClient, member: User, secret: str
) -> None:
    statuses = []
    for number in range(11):
        stranger = new_client(app)
        address = f"192.0.2.{number}"
        login(stranger, address=address)
        statuses.append(finish(stranger, authenticator.wrong(secret), address).status_code)
    assert statuses[:10] == [403] * 10
    assert login(client, address="192.0.2.99").status_code == 429


def test_wrong_codes_count_against_the_address_whoever_is_tried(app: Flask, make_user: MakeUser) -> None:
    statuses = []
    for number in range(7):
        name = f"person {number}"
        secret, _ = authenticator.turn_on(make_user(name))
        client = new_client(app)
        login(client, name)
        statuses += [finish(client, authenticator.wrong(secret)).status_code for _ in range(3)]
    assert statuses == [403] * 20 + [429]


def test_who_knows_the_password_does_not_lock_a_known_browser_out(
    app: Flask, client: PageClient, member: User, secret: str
) -> None:
    login(client)
    assert finish(client, authenticator.code(secret)).status_code == 200
    client.delete_cookie("__Host-mingchat")
    for number in range(11):
        stranger = new_client(app)
        login(stranger, address=f"198.51.100.{number}")
        finish(stranger, authenticator.wrong(secret), f"198.51.100.{number}")
    assert login(client).status_code == 401
    authenticator.fresh(member)
    assert finish(client, authenticator.code(secret)).status_code == 200


def test_many_known_browsers_have_no_more_tries_than_one(app: Flask, member: User) -> None:
    """Who knew the password may have collected them before there was a second step."""
    browsers = [new_client(app) for _ in range(11)]
    for browser in browsers:
        login(browser)
        browser.delete_cookie("__Host-mingchat")
    wrong = authenticator.wrong(authenticator.turn_on(member)[0])
    statuses = []
    for browser in browsers:
        login(browser)
        statuses += [finish(browser, wrong).status_code for _ in range(3)]
    assert statuses == [403] * 30 + [429] * 3


def test_a_try_that_is_refused_for_haste_uses_up_none(client: PageClient, secret: str, app: Flask) -> None:
    waiting = new_client(app)
    login(waiting)
    for number in range(10):
        login(new_client(app), password=STRONG, address=f"192.0.2.{number}")
    assert [finish(waiting, authenticator.code(secret)).status_code for _ in range(6)] == [429] * 6
    with reading() as session:
        assert session.scalars(select(PendingSignIn.tries)).all() == [0]


def test_another_site_cannot_finish_a_sign_in(client: PageClient, secret: str) -> None:
    login(client)
    code = authenticator.code(secret)
    headers = {"Origin": "https://evil.example"}
    foreign = client.post("/api/login/second-step", json={"code": code}, headers=headers)
    assert outcome(foreign) == (403, "foreign_origin")


@pytest.mark.parametrize("body", [{}, {"code": None}, {"code": 123456}, {"code": "1", "username": "member"}])
def test_a_body_that_is_not_as_expected_is_refused(client: PageClient, secret: str, body: dict[str, Any]) -> None:
    login(client)
    assert client.post("/api/login/second-step", json=body).status_code == 422


def test_with_another_encryption_key_a_recovery_code_still_works(client: PageClient, member: User) -> None:
    secret, codes = authenticator.turn_on(member)
    config.install(dataclasses.replace(config.current(), encryption_key="one that nobody had before, and as long"))
    login(client)
    assert outcome(finish(client, authenticator.code(secret))) == (503, "second_step_unreadable")
    assert finish(client, codes[0]).status_code == 200
