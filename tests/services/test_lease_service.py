"""What is kept of answers in the making, and what that costs."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from types import ModuleType

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from flask_app.database import engine, reading, transaction, utc_now, writer
from flask_app.engines import IDLE_SECONDS, ROW_LOCK_SECONDS
from flask_app.models import Message, Run, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.ledger import replay_service, shared_clock
from flask_app.services.runs import followers, lease_service, reaper_service, run_service, stop_service
from tests.support.brokers import PATIENCE, wait_until
from tests.support.scripted_upstream import ScriptedUpstream, Stall

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
COUNT = 3

QueryCount = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def stalled(member: User, upstream: ScriptedUpstream) -> Iterator[list[str]]:
    """The ids of answers that have come as far as "so far" and go no further."""
    upstream.default = Stall("so far")
    ids = [chat_service.send(member, Draft(text="go"), ORIGIN).message_id for _ in range(COUNT)]
    wait_until(lambda: {live.completion.outcome.text for live in run_service.live_runs()} == {"so far"})
    yield ids
    run_service.shutdown()


def texts() -> dict[str, str]:
    with reading() as session:
        rows = session.execute(select(Message.id, Message.text).where(Message.role == "assistant"))
        return {row.id: row.text for row in rows}


def test_every_text_that_has_grown_is_kept_in_one_transaction(stalled: list[str], query_count: QueryCount) -> None:
    assert texts() == dict.fromkeys(stalled, "")
    with query_count() as statements:
        lease_service.keep()
    assert len(statements) == 1, "one statement for all of them"
    assert texts() == dict.fromkeys(stalled, "so far")


def test_a_text_that_has_not_grown_is_not_written_again(stalled: list[str], query_count: QueryCount) -> None:
    lease_service.keep()
    with query_count() as statements:
        lease_service.keep()
    assert statements == []
    run_service.live_runs()[0].completion.outcome.text_parts.append(" and on")
    lease_service.keep()
    assert sorted(texts().values()) == ["so far", "so far", "so far and on"]


def test_long_texts_are_kept_a_few_at_a_time(
    stalled: list[str], query_count: QueryCount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_service, "KEPT_AT_ONCE", 2 * len("so far"))
    with query_count() as statements:
        lease_service.keep()
    assert len(statements) == 2
    assert texts() == dict.fromkeys(stalled, "so far")


def set_leases(moment: datetime) -> None:
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=moment))


def statuses() -> dict[str, str]:
    with reading() as session:
        return {run.id: run.status for run in session.scalars(select(Run))}


@pytest.fixture
def orphan(stalled: list[str]) -> Iterator[str]:
    """The id of a run that nobody makes, as after a start that failed."""
    live = run_service.live_runs()[0]
    del run_service._live[live.begun.run_id]
    yield live.begun.run_id
    run_service._live[live.begun.run_id] = live


def test_a_run_that_nobody_makes_gets_no_lease_from_those_of_its_process(orphan: str) -> None:
    set_leases(utc_now() - timedelta(minutes=5))
    lease_service.tick()
    assert {run_id for run_id, status in statuses().items() if status == "interrupted"} == {orphan}


def test_a_lease_from_before_the_clock_was_set_back_has_lapsed(orphan: str) -> None:
    set_leases(utc_now() + timedelta(hours=1))
    lease_service.tick()
    assert {run_id for run_id, status in statuses().items() if status == "interrupted"} == {orphan}


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_after_a_jump_of_the_clock_every_worker_may_renew_first(
    orphan: str, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    lease_service.tick()
    set_leases(utc_now() - timedelta(minutes=5))
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    monkeypatch.setattr(lease_service, "_ahead", (lease_service._ahead or 0) + seconds)
    lease_service.tick()
    assert set(statuses().values()) == {"running"}
    lease_service.tick()
    assert set(statuses().values()) == {"running"}, "not in the next round either"
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    lease_service.tick()
    assert statuses()[orphan] == "interrupted"


def test_a_round_learns_what_the_databases_clock_says(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_clock, "_ahead", timedelta(hours=1))
    lease_service.tick()
    assert abs(shared_clock.shared() - utc_now()) < timedelta(minutes=1)


def renewed() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(Run.id).where(Run.lease_expires_at > utc_now())))


@pytest.fixture
def held(stalled: list[str]) -> Iterator[str]:
    """The id of a run whose row another machine holds, which lost its power after noting that it is followed."""
    if engine().dialect.name == "sqlite":
        pytest.skip("SQLite has one lock, for all that is written")
    held = sorted(run_service.made_here())[1]
    set_leases(utc_now() - timedelta(seconds=1))
    with writer().connect() as connection:
        connection.execute(update(Run).where(Run.id == held).values(followed_at=utc_now()))
        yield held


def test_a_row_that_somebody_holds_keeps_no_other_lease_from_being_renewed(held: str) -> None:
    began = time.monotonic()
    lease_service.renew()
    assert time.monotonic() - began < ROW_LOCK_SECONDS
    assert renewed() == run_service.made_here() - {held}


def test_a_row_that_somebody_holds_keeps_no_other_run_from_being_reaped(held: str) -> None:
    began = time.monotonic()
    reaper_service.reap_all()
    assert time.monotonic() - began < ROW_LOCK_SECONDS
    with reading() as session:
        running = set(session.scalars(select(Run.id).where(Run.status == "running")))
    assert running == {held}


def test_a_row_that_somebody_holds_keeps_no_reader_from_being_noted(held: str) -> None:
    with reading() as session:
        runs = session.scalars(select(Run)).all()

    def noted() -> set[str]:
        with reading() as session:
            return set(session.scalars(select(Run.id).where(Run.followed_at.is_not(None))))

    with ExitStack() as followed:
        for run in runs:
            followed.enter_context(followers.following(run))
        wait_until(lambda: noted() == {run.id for run in runs} - {held}, IDLE_SECONDS / 2)


def test_texts_are_kept_while_somebody_holds_a_row_of_their_runs(held: str, stalled: list[str]) -> None:
    began = time.monotonic()
    lease_service.keep()
    assert time.monotonic() - began < ROW_LOCK_SECONDS
    assert texts() == dict.fromkeys(stalled, "so far")


def test_a_lease_that_could_not_be_renewed_is_in_the_next_small_round(
    stalled: list[str], query_count: QueryCount, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = sorted(run_service.made_here())[1]
    monkeypatch.setattr(lease_service, "_late", {late, "one that has ended meanwhile"})
    set_leases(utc_now() - timedelta(seconds=1))
    lease_service.renew_late()
    assert renewed() == {late}
    with query_count() as statements:
        lease_service.renew_late()
    assert statements == []


@contextmanager
def watching(monkeypatch: pytest.MonkeyPatch, *, waits: bool = False) -> Iterator[None]:
    """The threads look after everything, in a hurry, while the block runs; with `waits`, as a process that begins."""
    ended = threading.Event()
    for name in ("KEEP_SECONDS", "ROUND_SECONDS"):
        monkeypatch.setattr(lease_service, name, 0.02)
    monkeypatch.setattr(lease_service, "_ended", ended)
    monkeypatch.setattr(lease_service, "_is_watching", False)
    monkeypatch.setattr(stop_service, "watch", lambda: None)
    before = set(threading.enumerate())
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    if not waits:
        monkeypatch.setattr(lease_service, "BEGINNING_SECONDS", 0)
    lease_service.watch()
    try:
        yield
    finally:
        ended.set()
        for thread in set(threading.enumerate()) - before:
            thread.join(30)


def test_a_worker_says_which_process_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture_logs() as said, watching(monkeypatch):
        pass
    began = {"event": "worker_began", "log_level": "info", "worker": run_service.WORKER, "process": os.getpid()}
    assert began in said


def test_renewal_waits_for_no_other_work(stalled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else the rounds do may meet a lock: they have a thread of their own."""
    stuck = threading.Event()
    monkeypatch.setattr(lease_service, "keep", lambda: stuck.wait(2 * PATIENCE))
    set_leases(utc_now() - timedelta(seconds=1))
    with watching(monkeypatch):
        wait_until(lambda: renewed() == run_service.made_here())
        stuck.set()


@pytest.mark.parametrize("waiting", [(reaper_service, "reap_all"), (replay_service, "replay")])
def test_texts_are_kept_while_ending_what_others_left_waits_for_a_row(
    stalled: list[str], monkeypatch: pytest.MonkeyPatch, waiting: tuple[ModuleType, str]
) -> None:
    begun, freed = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        freed.wait(2 * PATIENCE)

    monkeypatch.setattr(*waiting, wait)
    with watching(monkeypatch):
        assert begun.wait(PATIENCE)
        run_service.live_runs()[0].completion.outcome.text_parts.append(" and on")
        wait_until(lambda: sorted(texts().values()) == ["so far", "so far", "so far and on"])
        freed.set()


def still_running(run_id: str, seconds: float = 0.5) -> bool:
    """After so many seconds of looking."""
    time.sleep(seconds)
    return statuses()[run_id] == "running"


def test_a_process_that_begins_gives_everybody_the_time_to_renew(orphan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_leases(utc_now() - timedelta(minutes=5))
    with watching(monkeypatch, waits=True):
        assert still_running(orphan)
        lease_service._reaping_from = time.monotonic()
        wait_until(lambda: statuses()[orphan] == "interrupted")


def test_so_does_one_that_stood_still(orphan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stopped it may have stopped the others too; that each round comes late is how it looks from inside."""
    monkeypatch.setattr(lease_service, "JUMP_SECONDS", -60)
    monkeypatch.setattr(lease_service, "_notice_jumps", lambda: None)
    with watching(monkeypatch):
        set_leases(utc_now() - timedelta(minutes=5))
        assert still_running(orphan)


def test_a_round_of_something_else_that_fails_keeps_nobody_from_being_reaped(
    orphan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("UPDATE messages", {}, Exception("Lock wait timeout exceeded"))

    monkeypatch.setattr(lease_service, "keep", fail)
    set_leases(utc_now() - timedelta(minutes=5))
    with watching(monkeypatch):
        wait_until(lambda: statuses()[orphan] == "interrupted")


def test_a_lease_outlasts_the_lock_of_a_machine_without_power() -> None:
    between = lease_service.ROUND_SECONDS + lease_service.KEEP_SECONDS
    assert between + IDLE_SECONDS < run_service.LEASE.seconds
