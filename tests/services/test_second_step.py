"""Codes of the second step: which are right when, and each of them once."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Thread

import pyotp
import pytest
from sqlalchemy import update

from flask_app import config
from flask_app.database import reading, transaction, utc_now
from flask_app.errors import WrongCode
from flask_app.models import PendingSignIn, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, pending_sign_ins, second_step, visits
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.sign_in.pending_sign_ins import Pending, SignInExpired
from tests.conftest import PASSWORD
from tests.support import authenticator
from tests.support.clients import PageClient
from tests.support.racing import raced
from tests.support.together import at_once

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
STEP = int(NOON.timestamp()) // 30
CALLERS = 20


@pytest.mark.parametrize(
    ("ago", "step"), [(-60, None), (-59, STEP + 1), (-30, STEP + 1), (0, STEP), (30, STEP - 1), (31, None), (60, None)]
)
def test_a_code_is_right_in_its_step_and_in_those_beside_it(ago: int, step: int | None) -> None:
    code = pyotp.TOTP(SECRET).at(NOON - timedelta(seconds=ago))
    assert second_step.matching_step(SECRET, code, NOON) == step


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        *[("123456", "123456"), (" 123 456 ", "123456"), ("１２３４５６", "123456"), ("123-456", "123456")],
        *[("12345", None), ("1234567", None), ("12345a", None), ("", None), ("١٢٣٤٥٦", None), ("²²²²²²", "222222")],
    ],
)
def test_digits_are_read_as_they_were_meant(typed: str, digits: str | None) -> None:
    assert second_step.digits_of(typed) == digits


def test_a_secret_is_a_hundred_and_sixty_random_bits() -> None:
    made = {second_step.new_secret() for _ in range(100)}
    assert len(made) == 100
    assert {len(secret) for secret in made} == {32}


def test_what_the_picture_says_is_what_an_authenticator_app_reads() -> None:
    read = pyotp.parse_uri(second_step.uri(SECRET, "小明: a&b"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.issuer, read.name) == (SECRET, "MingChat", "小明: a&b")
    assert (read.digits, read.interval, read.digest().name) == (6, 30, "sha1")


def racers(database_url: str, user: User, code: str) -> Counter[str]:
    """Two processes of which each has many callers, all with the same code."""
    return raced("code_race", database_url, config.current().encryption_key, user.id, code, callers=CALLERS)


@pytest.mark.security("second-step-codes")
def test_of_two_processes_that_use_a_code_at_once_one_is_let_through(database_url: str, member: User) -> None:
    secret, _ = authenticator.turn_on(member)
    code = authenticator.code(secret, steps=1)  # right for a minute from now, however slowly processes begin
    assert racers(database_url, member, code) == {"granted": 1, "refused": 2 * CALLERS - 1}


def test_of_two_processes_that_use_a_recovery_code_at_once_one_is_let_through(database_url: str, member: User) -> None:
    _, codes = authenticator.turn_on(member)
    assert racers(database_url, member, codes[0]) == {"granted": 1, "refused": 2 * CALLERS - 1}
    with reading() as session:
        assert second_step.recovery_codes_left(session, member.id) == 9


def test_what_was_turned_off_and_on_again_takes_no_code_of_before(member: User) -> None:
    secret, codes = authenticator.turn_on(member)
    with transaction() as session:
        second_step.forget(session, member.id)
    authenticator.turn_on(member)
    for code in (authenticator.code(secret), codes[0]):
        with transaction() as session, pytest.raises(WrongCode):
            second_step.check(session, member, code, "")


def begun(user: User) -> Pending:
    with transaction() as session:
        return pending_sign_ins.begin(session, user.id)


def test_of_many_wrong_codes_at_once_five_are_looked_at(member: User) -> None:
    secret, _ = authenticator.turn_on(member)
    pending, wrong = begun(member), authenticator.wrong(secret)
    outcomes = at_once(9, lambda _: auth_service.finish_sign_in(pending.token, wrong, Browser("192.0.2.1")))
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"WrongCode": 5, "SignInExpired": 4}


def test_of_two_who_finish_one_sign_in_at_once_one_is_signed_in(member: User) -> None:
    _, codes = authenticator.turn_on(member)
    pending = begun(member)
    browser = Browser("192.0.2.1")
    outcomes = at_once(2, lambda number: auth_service.finish_sign_in(pending.token, codes[number], browser))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SignInExpired", "SignedIn"]
    with reading() as session:
        assert second_step.recovery_codes_left(session, member.id) == 9, "who comes second keeps their code"


def test_a_pending_sign_in_ends_after_its_time(member: User) -> None:
    pending = begun(member)
    assert pending_sign_ins.person(pending.token).id == member.id
    with transaction() as session:
        row = session.get_one(PendingSignIn, digest(pending.token))
        assert timedelta(seconds=290) < row.expires_at - utc_now() <= pending_sign_ins.LIFETIME
        row.expires_at = utc_now()
    for act in (pending_sign_ins.person, pending_sign_ins.count_try):
        with pytest.raises(SignInExpired):
            act(pending.token)


def test_a_sign_in_by_the_password_alone_does_not_outlive_the_turning_on(
    member: User, member_client: PageClient
) -> None:
    """It has looked for a second step before there was one, and opens its session afterwards."""
    begun = member_client.post("/api/me/second-step", json={"password": PASSWORD})
    digits = authenticator.code(begun.get_json()["secret"])
    member_client.csrf_token = begun.headers["X-CSRF-Token"]
    turning_on = Thread(target=lambda: member_client.post("/api/me/second-step/confirm", json={"code": digits}))
    with transaction() as session:
        session.execute(update(User).where(User.id == member.id).values(password_hash=member.password_hash))
        assert not second_step.is_on(session, member.id)
        turning_on.start()
        turning_on.join(1)
        assert turning_on.is_alive()
        token = auth_service.open_session(session, member, Browser("192.0.2.1")).token
    turning_on.join()
    with reading() as session:
        assert second_step.is_on(session, member.id)
    assert visits.visit(token) is None
