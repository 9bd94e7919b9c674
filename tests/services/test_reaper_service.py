"""How long ending what dead workers left may take, however much of it there is."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from flask_app import streams
from flask_app.database import engine, reading, transaction, writer
from flask_app.engines import ROW_LOCK_SECONDS
from flask_app.models import Attempt, Conversation, Run, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.runs import lease_service, reaper_service, run_service
from flask_app.services.runs.lease_service import ROUND_SECONDS
from flask_app.services.runs.reaper_service import REAPED_AT_ONCE, REAPING_SECONDS
from flask_app.services.runs.run_service import LEASE
from flask_app.streams.memory import MemoryBroker
from tests.faults.stopwatch import Stopwatch
from tests.support import gevent_reaper, mysql_server
from tests.support.brokers import wait_until
from tests.support.killed import as_if_killed, multiply
from tests.support.scripted_upstream import ScriptedUpstream

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
COUNT, MANY = 4, 1000
BOOKED_WITHIN = 60  # seconds after a worker died, as docs/reliability.md promises


def states() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attempt.state)))


def database_processes() -> list[int]:
    """None on SQLite, which is no process."""
    if engine().dialect.name == "sqlite":
        return []
    with engine().connect() as connection:
        file = Path(connection.scalar(text("SELECT @@pid_file")) or "")
    return [int((file if file.exists() else mysql_server.seen_from_here(file)).read_text())]


@pytest.fixture(params=["with their runs", "without"])
def left(request: pytest.FixtureRequest, member: User, upstream: ScriptedUpstream) -> None:
    """Attempts of a worker that died; their runs are still there, or went with their conversations before."""
    for _ in range(COUNT):
        chat_service.send(member, Draft(text="go"), ORIGIN)
        wait_until(lambda: not run_service.live_runs())
    as_if_killed()
    if request.param == "without":
        with transaction() as session:
            session.execute(delete(Run))
            session.execute(delete(Conversation))
    assert states() == ["dispatched"] * COUNT


def test_a_round_ends_in_time_and_the_next_does_the_rest(left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(reaper_service, "REAPING_SECONDS", -1)
        reaper_service.reap_all()
    assert states() == ["dispatched"] * COUNT
    reaper_service.reap_all()
    assert states() == ["settled"] * COUNT


class Told(MemoryBroker):
    """Keeps what readers are told by a process that did not make their answer."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[bytes] = []

    def end(self, run_id: str, event: str, payload: bytes) -> None:
        self.ends.append(payload)


@pytest.mark.parametrize(("seen", "words"), [(None, "回答被中断"), ("en", "the answer was interrupted")])
def test_readers_are_told_in_the_language_that_the_person_last_saw(
    member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, seen: str | None, words: str
) -> None:
    chat_service.send(member, Draft(text="go"), ORIGIN)
    wait_until(lambda: not run_service.live_runs())
    as_if_killed()
    with transaction() as session:
        session.execute(update(User).values(seen_locale=seen))
    monkeypatch.setattr(streams, "_broker", told := Told())
    reaper_service.reap_all()
    assert words in b"".join(told.ends).decode()


def test_a_settlement_in_whose_middle_a_machine_lost_its_power_makes_a_round_no_longer(left: None) -> None:
    """Until the server ends its connection it holds rows of the sums, which every other settlement adds to."""
    if engine().dialect.name == "sqlite":
        pytest.skip("SQLite has one lock, for all that is written")
    with Session(writer()) as dead:
        reaper_service.book_lost(dead, dead.scalars(select(Attempt.id)).first() or "")
        began = time.monotonic()
        reaper_service.reap_all()
        # For the first of the sums, and for the others.
        assert ROW_LOCK_SECONDS <= time.monotonic() - began < REAPING_SECONDS + 2 * ROW_LOCK_SECONDS + 5
        dead.rollback()
    assert states() == ["dispatched"] * COUNT
    reaper_service.reap_all()
    assert states() == ["settled"] * COUNT


def test_a_thousand_answers_of_a_worker_that_died_are_booked_in_time(member: User, upstream: ScriptedUpstream) -> None:
    """Twice as many as one look finds."""
    assert MANY >= 2 * REAPED_AT_ONCE
    chat_service.send(member, Draft(text="go"), ORIGIN)
    wait_until(lambda: not run_service.live_runs())
    as_if_killed()
    multiply(MANY - 1)
    assert states() == ["dispatched"] * MANY
    watch = Stopwatch(database_processes())
    lease_service.end_the_dead()
    taken = watch.seconds
    assert states() == ["settled"] * MANY
    assert taken < BOOKED_WITHIN - LEASE.seconds - ROUND_SECONDS


def test_under_gevent_sockets_are_read_between_one_and_the_next() -> None:
    command = [sys.executable, "-m", "tests.support.gevent_reaper"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert int(said.stdout) > gevent_reaper.COUNT / 4, said.stderr
