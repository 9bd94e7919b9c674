"""One look, for all who read here, at which of their sessions go on."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from flask_app.database import transaction, utc_now
from flask_app.models import LoginSession, User
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, open_sessions, visits
from flask_app.services.sign_in.auth_service import Browser
from flask_app.web.events import while_signed_in
from tests.conftest import MakeUser
from tests.support.brokers import PATIENCE, wait_until

BROWSER = Browser(address="192.0.2.1")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As often as a test needs them."""
    monkeypatch.setattr(open_sessions, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(open_sessions, "_looker", None)


def session_of(user: User) -> str:
    with transaction() as session:
        return digest(auth_service.open_session(session, user, BROWSER).token)


def expire(session_id: str) -> None:
    with transaction() as session:
        expired = {"expires_at": utc_now() - timedelta(seconds=1)}
        session.execute(update(LoginSession).where(LoginSession.id == session_id).values(expired))


def disable(user: User) -> None:
    with transaction() as session:
        session.execute(update(User).where(User.id == user.id).values(disabled=True))


def test_a_look_finds_what_is_over(app: Flask, make_user: MakeUser) -> None:
    people = [make_user(name) for name in ("going on", "signed out", "expired", "disabled")]
    ids = [session_of(user) for user in people]
    with ExitStack() as stack:
        readings = [stack.enter_context(open_sessions.reading_in(session_id)) for session_id in ids]
        auth_service.sign_out(ids[1])
        expire(ids[2])
        disable(people[3])
        open_sessions.look()
        assert [reading.is_over for reading in readings] == [False, True, True, True]


def test_however_many_read_it_is_one_query(
    member: User, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    ids = [session_of(member) for _ in range(3)]
    with ExitStack() as stack:
        for session_id in ids * 5:
            stack.enter_context(open_sessions.reading_in(session_id))
        with query_count() as statements:
            open_sessions.look()
    assert len(statements) == 1
    with query_count() as statements:
        open_sessions.look()
    assert statements == [], "nobody reads any more"


@pytest.mark.usefixtures("looks")
def test_the_looks_come_by_themselves(member: User) -> None:
    session_id = session_of(member)
    with open_sessions.reading_in(session_id) as reading:
        time.sleep(0.2)
        assert not reading.is_over
        auth_service.sign_out(session_id)
        wait_until(lambda: reading.is_over)


@pytest.mark.usefixtures("looks")
def test_no_stream_waits_for_a_database_that_hangs(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answers = threading.Event(), threading.Event()

    def hang(session_ids: set[str]) -> set[str]:
        asked.set()
        answers.wait(60)
        raise OperationalError("SELECT", {}, Exception("Lost connection"))

    monkeypatch.setattr(visits, "open_among", hang)
    pieces = while_signed_in(_endless(), session_of(member))
    next(pieces)
    try:
        assert asked.wait(PATIENCE)
        began = time.monotonic()
        assert [next(pieces) for _ in range(100)] == [b"piece"] * 100
        assert time.monotonic() - began < 30
    finally:
        answers.set()
    time.sleep(0.2)
    assert next(pieces) == b"piece", "one that fails ends no stream either"


def _endless() -> Iterator[bytes]:
    while True:
        yield b"piece"
