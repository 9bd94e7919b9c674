"""Signing in while something else happens."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from flask_app import offload
from flask_app.database import reading, transaction, utc_now
from flask_app.errors import SignInRequired
from flask_app.models import LoginSession, SecondStep, User
from flask_app.services.people import account_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, second_step_service
from flask_app.services.sign_in.auth_service import Browser, WrongCredentials
from tests.conftest import PASSWORD
from tests.support import authenticator
from tests.support.clients import signed_in
from tests.support.entrance import STRONG

Meanwhile = Callable[..., None]
HERE = Browser("192.0.2.1")
# What gives a browser a new session in the place of its own, by person, session and code.
RENEWING: dict[str, Callable[[User, str, str], object]] = {
    "begin": lambda user, here, _: second_step_service.begin(user, here, PASSWORD, HERE),
    "confirm": lambda user, here, code: second_step_service.confirm(user, here, code, HERE),
    "renew": lambda user, here, code: second_step_service.renew_recovery_codes(user, here, PASSWORD, code, HERE),
    "turn off": lambda user, here, code: second_step_service.turn_off(user, here, PASSWORD, code, HERE),
    "password": lambda user, here, _: account_service.change_password(user, here, PASSWORD, STRONG, HERE),
}


@pytest.fixture
def meanwhile(member: User) -> Iterator[Meanwhile]:
    """`meanwhile(column=value)`: the person changes like this while their password is being checked."""

    def change_during_the_check(**values: object) -> None:
        def apply(work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            result = work(*args, **kwargs)
            with transaction() as session:
                session.execute(update(User).where(User.id == member.id).values(values))
            return result

        offload.use(apply)

    yield change_during_the_check
    offload.use(offload.call_directly)


@pytest.mark.parametrize("change", [{"disabled": True}, {"password_hash": "another"}, {"password_hash": None}])
def test_a_check_that_was_overtaken_opens_no_session(meanwhile: Meanwhile, change: dict[str, object]) -> None:
    meanwhile(**change)
    with pytest.raises(WrongCredentials):
        auth_service.sign_in("member", PASSWORD, Browser("192.0.2.1"))
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 0


@pytest.mark.parametrize("act", RENEWING)
def test_who_was_signed_out_while_they_asked_gets_no_new_session(member: User, act: str) -> None:
    secret, _ = authenticator.turn_on(member)
    with transaction() as session:
        here = digest(auth_service.open_session(session, member, HERE).token)
        if act in {"begin", "confirm"}:
            session.execute(update(SecondStep).values(turned_on_at=None))
    with transaction() as session:
        auth_service.end_sessions(session, member.id)
    with pytest.raises(SignInRequired):
        RENEWING[act](member, here, authenticator.code(secret))
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 0


def test_a_change_that_does_not_matter_is_no_hindrance(meanwhile: Meanwhile) -> None:
    meanwhile(theme="dark")
    assert auth_service.sign_in("member", PASSWORD, Browser("192.0.2.1")).token


def test_a_name_that_unfolds_without_end_is_only_unknown(member: User) -> None:
    with pytest.raises(WrongCredentials):
        auth_service.sign_in("\ufdfa" * 1000, PASSWORD, Browser("192.0.2.1"))


def test_of_too_many_sessions_the_one_unseen_for_longest_ends(
    app: Flask, member: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_service, "MOST_SESSIONS", 3)
    others = signed_in(app, admin)
    first, second, third = (signed_in(app, member) for _ in range(3))
    with transaction() as session:
        old = utc_now() - timedelta(hours=1)
        session.execute(
            update(LoginSession).where(LoginSession.id == digest(second.session_token)).values(last_seen_at=old)
        )
    fourth = signed_in(app, member)
    assert [client.get("/api/me").status_code for client in (first, second, third, fourth, others)] == [
        200,
        401,
        200,
        200,
        200,
    ]


def test_signing_in_again_and_again_keeps_no_more_sessions_than_allowed(app: Flask, member: User) -> None:
    for _ in range(auth_service.MOST_SESSIONS + 5):
        signed_in(app, member)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == auth_service.MOST_SESSIONS
