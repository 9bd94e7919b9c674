"""One's own two-step sign-in: turned on by a first code, kept with recovery codes, turned off."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import AuditEntry, RecoveryCode, User
from flask_app.services.sign_in import second_step
from tests.conftest import PASSWORD, SignIn
from tests.support import authenticator
from tests.support.clients import SESSION_COOKIE, PageClient, new_client
from tests.support.entrance import STRONG, error_code, login

OWN = "/api/me/second-step"
ACTS = ("recovery-codes", "turn-off")


def ask(client: PageClient, path: str = "", **body: str) -> Any:
    """A change that gives the browser a new session keeps its CSRF token current, as our pages do."""
    response = client.post(f"{OWN}{path}", json=body)
    client.csrf_token = response.headers.get("X-CSRF-Token", client.csrf_token)
    return response


def actions() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.created_at, AuditEntry.id)))


def test_it_is_off_at_first_and_on_after_a_first_code(member_client: PageClient, member: User) -> None:
    assert member_client.get(OWN).json == {"on": False, "recovery_codes_left": 0}
    begun = ask(member_client, password=PASSWORD)
    assert begun.status_code == 201
    secret = begun.json["secret"]
    assert begun.json["uri"].startswith("otpauth://totp/MingChat:member?")
    assert f"secret={secret}" in begun.json["uri"]
    assert begun.json["qr"].startswith("data:image/svg+xml")
    assert member_client.get(OWN).json == {"on": False, "recovery_codes_left": 0}
    confirmed = ask(member_client, "/confirm", code=authenticator.code(secret))
    assert confirmed.status_code == 200
    codes = confirmed.json["recovery_codes"]
    assert len(set(codes)) == 10
    assert member_client.get(OWN).json == {"on": True, "recovery_codes_left": 10}
    assert actions() == ["second_step.turn_on"]


def test_until_the_first_code_signing_in_takes_the_password_alone(
    app: Flask, member_client: PageClient, member: User
) -> None:
    ask(member_client, password=PASSWORD)
    assert login(new_client(app)).status_code == 200


@pytest.mark.security("second-step-codes")
def test_the_database_holds_no_secret_and_no_recovery_code(
    member_client: PageClient, member: User, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = ask(member_client, password=PASSWORD).json["secret"]
    digits = authenticator.code(secret)
    codes = ask(member_client, "/confirm", code=digits).json["recovery_codes"]
    row = authenticator.row_of(member)
    assert row
    assert secret.encode() not in row.secret
    with reading() as session:
        stored = set(session.scalars(select(RecoveryCode.id).where(RecoveryCode.user_id == member.id)))
        noted = " ".join(entry.details for entry in session.scalars(select(AuditEntry)))
    assert len(stored) == 10
    said = noted + caplog.text + "".join(capfd.readouterr())
    for code in codes:
        assert not {code, code.replace("-", "")} & stored
        assert code not in said
    assert secret not in said
    assert digits not in said


def test_a_secret_is_its_persons_own(member: User, admin: User) -> None:
    authenticator.turn_on(member)
    row = authenticator.row_of(member)
    assert row
    row.user_id = admin.id
    with pytest.raises(Exception, match="second_step_unreadable"):
        second_step.opened(row)


@pytest.mark.security("session-renewed")
def test_turning_it_on_ends_the_other_sessions_and_renews_this_one(
    app: Flask, member: User, member_client: PageClient, sign_in: SignIn
) -> None:
    other, before = sign_in(member), member_client.session_token
    begun = ask(member_client, password=PASSWORD)
    between = member_client.session_token
    assert other.get("/api/me").status_code == 200
    ask(member_client, "/confirm", code=authenticator.code(begun.json["secret"]))
    assert other.get("/api/me").status_code == 401
    assert len({before, between, member_client.session_token}) == 3
    assert member_client.patch("/api/me", json={"theme": "dark"}).status_code == 200
    for ended in (before, between):
        thief = new_client(app)
        thief.set_cookie(SESSION_COOKIE, ended, secure=True)
        assert thief.get("/api/me").status_code == 401


def test_the_password_is_asked_for_first(member_client: PageClient, member: User) -> None:
    before = member_client.session_token
    refused = [ask(member_client, password=STRONG) for _ in range(11)]
    assert [response.status_code for response in refused] == [403] * 10 + [429]
    assert error_code(refused[0]) == "wrong_password"
    assert member_client.session_token == before
    assert authenticator.row_of(member) is None


def test_a_wrong_first_code_turns_nothing_on(member_client: PageClient, member: User) -> None:
    secret = ask(member_client, password=PASSWORD).json["secret"]
    for code in (authenticator.wrong(secret), authenticator.code(secret, steps=-3), "", "é", "12345", "1234567"):
        refused = ask(member_client, "/confirm", code=code)
        assert (refused.status_code, error_code(refused)) == (403, "wrong_second_step_code")
    assert member_client.get(OWN).json == {"on": False, "recovery_codes_left": 0}
    assert ask(member_client, "/confirm", code=authenticator.code(secret)).status_code == 200


def test_a_first_code_comes_within_a_quarter_of_an_hour(member_client: PageClient, member: User) -> None:
    secret = ask(member_client, password=PASSWORD).json["secret"]
    authenticator.begun_before(member, timedelta(minutes=15))
    late = ask(member_client, "/confirm", code=authenticator.code(secret))
    assert (late.status_code, error_code(late)) == (409, "second_step_not_begun")


def test_the_first_code_is_used_up_by_it(app: Flask, member_client: PageClient) -> None:
    secret = ask(member_client, password=PASSWORD).json["secret"]
    digits = authenticator.code(secret)
    ask(member_client, "/confirm", code=digits)
    other = new_client(app)
    login(other)
    again = other.post("/api/login/second-step", json={"code": digits})
    assert (again.status_code, error_code(again)) == (403, "wrong_second_step_code")


def test_who_begins_again_gets_another_secret(member_client: PageClient, member: User) -> None:
    first, second = (ask(member_client, password=PASSWORD).json["secret"] for _ in range(2))
    assert first != second
    assert ask(member_client, "/confirm", code=authenticator.code(first)).status_code == 403
    assert ask(member_client, "/confirm", code=authenticator.code(second)).status_code == 200


def test_what_is_on_is_not_begun_again(member_client: PageClient, member: User) -> None:
    secret, _ = authenticator.turn_on(member)
    again = ask(member_client, password=PASSWORD)
    assert (again.status_code, error_code(again)) == (409, "second_step_on")
    confirmed = ask(member_client, "/confirm", code=authenticator.code(secret))
    assert (confirmed.status_code, error_code(confirmed)) == (409, "second_step_not_begun")


@pytest.mark.parametrize("act", ACTS)
def test_changes_take_the_password_and_a_code(member_client: PageClient, member: User, act: str) -> None:
    secret, codes = authenticator.turn_on(member)
    wrong = ask(member_client, f"/{act}", password=STRONG, code=authenticator.code(secret))
    assert (wrong.status_code, error_code(wrong)) == (403, "wrong_password")
    wrong = ask(member_client, f"/{act}", password=PASSWORD, code=authenticator.wrong(secret))
    assert (wrong.status_code, error_code(wrong)) == (403, "wrong_second_step_code")
    assert member_client.get(OWN).json == {"on": True, "recovery_codes_left": 10}
    before = member_client.session_token
    assert ask(member_client, f"/{act}", password=PASSWORD, code=codes[0]).status_code < 300
    assert member_client.session_token != before


def test_new_recovery_codes_are_in_the_place_of_the_old(member_client: PageClient, member: User) -> None:
    secret, old = authenticator.turn_on(member)
    renewed = ask(member_client, "/recovery-codes", password=PASSWORD, code=authenticator.code(secret))
    new = renewed.json["recovery_codes"]
    assert len({*old, *new}) == 20
    assert ask(member_client, "/turn-off", password=PASSWORD, code=old[1]).status_code == 403
    assert ask(member_client, "/turn-off", password=PASSWORD, code=new[1].lower().replace("-", " ")).status_code == 204
    assert actions() == [
        *("second_step.renew_recovery_codes", "second_step.use_recovery_code", "second_step.turn_off"),
    ]


def test_turned_off_signing_in_takes_the_password_alone(app: Flask, member_client: PageClient, member: User) -> None:
    secret, _ = authenticator.turn_on(member)
    assert ask(member_client, "/turn-off", password=PASSWORD, code=authenticator.code(secret)).status_code == 204
    assert member_client.get(OWN).json == {"on": False, "recovery_codes_left": 0}
    assert authenticator.row_of(member) is None
    assert login(new_client(app)).status_code == 200


@pytest.mark.parametrize("act", ACTS)
def test_where_it_is_off_there_is_nothing_to_change(member_client: PageClient, act: str) -> None:
    refused = ask(member_client, f"/{act}", password=PASSWORD, code="123456")
    assert (refused.status_code, error_code(refused)) == (409, "second_step_off")


@pytest.mark.parametrize("act", ACTS)
def test_guesses_at_codes_are_limited_also_with_a_new_session(
    member: User, sign_in: SignIn, member_client: PageClient, act: str
) -> None:
    secret, _ = authenticator.turn_on(member)
    guess = {"password": PASSWORD, "code": authenticator.wrong(secret)}
    assert [ask(member_client, f"/{act}", **guess).status_code for _ in range(11)] == [403] * 10 + [429]
    others = [ask(sign_in(member), f"/{act}", **guess).status_code for _ in range(22)]
    assert others == [403] * 20 + [429] * 2


def test_anothers_code_and_recovery_code_are_wrong(member_client: PageClient, member: User, admin: User) -> None:
    authenticator.turn_on(member)
    foreign, codes = authenticator.turn_on(admin)
    for code in (authenticator.code(foreign), codes[0]):
        assert ask(member_client, "/turn-off", password=PASSWORD, code=code).status_code == 403


@pytest.mark.parametrize("path", ["", "/confirm", "/recovery-codes", "/turn-off"])
def test_signed_out_there_is_nothing(client: PageClient, path: str) -> None:
    refused = ask(client, path, password=PASSWORD, code="123456")
    assert (refused.status_code, error_code(refused)) == (401, "sign_in_required")
    assert client.get(OWN).status_code == 401


@pytest.mark.parametrize("path", ["", "/confirm", "/recovery-codes", "/turn-off"])
@pytest.mark.parametrize("body", [{}, {"password": None}, {"code": 123456}, {"user_id": "x"}, {"code": "x" * 1001}])
def test_a_body_that_is_not_as_expected_is_refused(member_client: PageClient, path: str, body: dict[str, Any]) -> None:
    assert member_client.post(f"{OWN}{path}", json=body).status_code == 422


def test_without_the_csrf_token_nothing_changes(member_client: PageClient, member: User) -> None:
    member_client.csrf_token = ""
    assert error_code(ask(member_client, password=PASSWORD)) == "csrf_failed"
    assert authenticator.row_of(member) is None
