"""The database is away, or slow, when an answer ends: its reader knows, and it is booked once."""

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from flask_app import database
from flask_app.database import utc_now
from flask_app.models import User
from flask_app.services.completion import settling
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import journal, replay_service
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from tests.routes.journal.answers import (
    USED,
    WHOLE,
    AnswerWithoutDatabase,
    assert_exact,
    code,
    entries,
    following,
    message,
    states,
)
from tests.support import calls
from tests.support.brokers import wait_until
from tests.support.events import events_of
from tests.support.keys import change_key, stored_key
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply


def test_done_is_told_only_after_the_commit(
    folder: Path, member: User, upstream: ScriptedUpstream, database_url: str
) -> None:
    upstream.script(AnswerWithoutDatabase())
    events = []
    for event in following(member):
        events.append(event)
        if code(event) == "not_saved_yet":
            assert len(list(folder.glob("*.json"))) == 1, "it is on disk before anybody is told"
            assert [event.name for event in events].count("done") == 0
            database.connect(database_url)
        if event.name == "done":
            assert message().status == "complete"
    assert [event.name for event in events[-3:]] == ["error", "usage", "done"]
    assert message().text == WHOLE
    assert_exact()
    assert list(folder.iterdir()) == []


def test_a_full_disk_leaves_the_retry_in_memory(
    folder: Path, member: User, upstream: ScriptedUpstream, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    upstream.script(AnswerWithoutDatabase())
    monkeypatch.setattr(os, "fsync", full)
    for event in following(member):
        if code(event) == "not_saved_yet":
            assert list(folder.iterdir()) == []
            database.connect(database_url)
    assert message().text == WHOLE
    assert_exact()


def test_a_reader_who_comes_back_meanwhile_hears_the_end(
    folder: Path, member: User, upstream: ScriptedUpstream, database_url: str
) -> None:
    upstream.script(AnswerWithoutDatabase())
    names = []
    for event in following(member):
        if code(event) == "not_saved_yet":
            (live,) = run_service.live_runs()
            again = run_service.read(member, live.begun.run_id, after=event.id - 1, locale="en")
            database.connect(database_url)
            names = [event.name for frame in again for event in events_of(frame)]
    assert names == ["error", "usage", "done"]


class AnswerWhoseCommitIsNotHeard:
    """The settlement is committed, and the word of it is lost on its way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.lost = 0

    def play(self, reply: Reply, request: Received) -> None:
        dialect = database._bound().writer.dialect
        commit = dialect.do_commit

        def unheard(connection: Any) -> None:
            commit(connection)
            if not self.lost:
                self.lost += 1
                raise dialect.loaded_dbapi.OperationalError("the connection was lost")

        self._monkeypatch.setattr(dialect, "do_commit", unheard)
        Answer(WHOLE, usage=USED).play(reply, request)


def test_a_commit_whose_reply_is_lost_is_one_entry(
    folder: Path, member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = AnswerWhoseCommitIsNotHeard(monkeypatch)
    upstream.script(script)
    events = list(following(member))
    assert script.lost == 1
    assert [event.name for event in events[-3:]] == ["error", "usage", "done"]
    assert events[-1].data["status"] == "complete"
    assert_exact()
    assert list(folder.iterdir()) == []


def test_a_database_that_takes_its_time_is_not_waited_for(
    folder: Path, member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may be ended before the database says anything: what it should take is on disk by then."""
    monkeypatch.setattr(run_service, "SLOW_SECONDS", 0.1)
    held = threading.Event()
    settle = settling.settle

    def slow(*arguments: Any, **options: Any) -> Any:
        assert held.wait(100)
        return settle(*arguments, **options)

    monkeypatch.setattr("flask_app.services.runs.run_service.settle", slow)
    upstream.script(Answer(WHOLE, usage=USED))
    reader = following(member)
    next(reader)
    (live,) = run_service.live_runs()
    wait_until(lambda: live._settling_since is not None)
    unheard = calls.dispatch(calls.call_of(member.id), Bounds(prompt=1000, answer=500))
    live.completion.unheard.append(unheard)
    time.sleep(0.2)
    live.wait_if_slow()
    assert journal.waiting() == {live.completion.sent.attempt_id, unheard.attempt_id}
    replay_service.replay()
    assert states() == ["dispatched", "dispatched"], "they are this run's own to settle"
    kept = journal.read(live.completion.sent.attempt_id)
    assert kept
    assert kept.outcome.whole_text == WHOLE
    assert kept.outcome.usage
    assert kept.outcome.usage.total_tokens == USED.prompt + USED.completion
    assert any(code(event) == "not_saved_yet" for event in reader)
    live.wait_if_slow()
    held.set()
    assert [event.name for event in reader] == ["usage", "done"]
    live.thread.join()
    assert list(folder.iterdir()) == []
    assert [entry.completion_tokens for entry in entries()] == [USED.completion]
    assert states() == ["released", "settled"]


def test_a_key_that_answers_again_without_the_database_is_let_back_when_that_is_booked(
    folder: Path, member: User, upstream: ScriptedUpstream, database_url: str
) -> None:
    model_service.available()
    now, busy = utc_now(), "upstream_busy"
    refused = {"last_error_at": now, "last_error_code": busy, "strikes": 1}
    change_key("environment", benched_until=now, benched_since=now, bench_code=busy, **refused)
    upstream.script(AnswerWithoutDatabase())
    with capture_logs() as logged:
        for event in following(member):
            if code(event) == "not_saved_yet":
                database.connect(database_url)
                assert stored_key("environment").bench_code == "upstream_busy"
    assert [each["key"] for each in logged if each["event"] == "bench_not_ended"] == ["environment"]
    key = stored_key("environment")
    assert (key.benched_until, key.bench_code, key.strikes) == (None, None, 0)
    assert_exact()
