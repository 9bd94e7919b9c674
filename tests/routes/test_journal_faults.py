"""The database is away when an answer ends: what the journal holds reaches the ledger once, and its reader."""

import dataclasses
import errno
import os
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from flask_app import config as settings
from flask_app import database
from flask_app.config import Config
from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.domain import events
from flask_app.models import Attempt, Conversation, Message, Run, TokenUsage, User
from flask_app.services import (
    chat_service,
    completion_service,
    journal,
    lease_service,
    reaper_service,
    replay_service,
    rollup,
    run_service,
)
from flask_app.services.attempts import Bounds, Outcome
from flask_app.services.chat_service import Draft, Origin
from flask_app.services.journal import Settlement
from tests.support import calls
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"
WHOLE = "the whole of the answer"
USED = Usage(prompt=1000, cached=600, completion=500, reasoning=0)


class AnswerWithoutDatabase:
    """The database goes away while the provider answers."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Answer(WHOLE, usage=USED).play(reply, request)


@pytest.fixture
def folder(app: Flask, base_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The journal, of this test alone."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path / "journal"
    run_service.shutdown()
    settings.install(base_config)


def following(actor: User) -> Iterator[ServerEvent]:
    begun = chat_service.send(actor, Draft(text="hello"), ORIGIN)
    for frame in run_service.read(actor, begun.run_id, after=0, locale="en"):
        yield from events_of(frame)


def code(event: ServerEvent) -> Any:
    return event.data.get("code")


def message() -> Message:
    with reading() as session:
        return session.scalars(select(Message).where(Message.role == "assistant")).one()


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage)))


def assert_exact() -> None:
    (entry,) = entries()
    assert (entry.source, entry.prompt_tokens, entry.cached_tokens) == ("reported", 1000, 600)
    assert entry.completion_tokens == 500
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["settled"]


@pytest.fixture
def journalled(folder: Path, member: User, upstream: ScriptedUpstream, database_url: str) -> Path:
    """A worker wrote its journal and was killed: this is the file."""
    upstream.script(AnswerWithoutDatabase())
    file, content = folder, b""
    for event in following(member):
        if code(event) == "not_saved_yet":
            (file,) = folder.glob("*.json")
            content = file.read_bytes()
            database.connect(database_url)
    assert content
    as_if_killed()
    file.write_bytes(content)
    return file


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


def test_a_killed_workers_answer_is_replayed_whole_and_exact(journalled: Path) -> None:
    lease_service.tick()
    assert (message().status, message().text, message().finish_reason) == ("complete", WHOLE, "stop")
    assert_exact()
    assert not journalled.exists()
    assert not (journalled.parent / "aside").exists()


def test_replaying_twice_is_replaying_once(journalled: Path) -> None:
    content = journalled.read_bytes()
    replay_service.replay()
    journalled.write_bytes(content)
    replay_service.replay()
    assert_exact()
    assert not journalled.exists()
    assert not (journalled.parent / "aside").exists()


def test_an_attempt_that_answers_no_message_is_replayed_too(folder: Path, member: User) -> None:
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=1000, answer=500))
    told = Outcome(text_parts=["whole"], usage=events.Usage(1000, 600, 500, 0))
    assert journal.keep(Settlement(sent=sent, outcome=told, conversation_id=new_id()))
    replay_service.replay()
    assert_exact()
    assert journal.waiting() == set()


def test_a_replay_without_a_database_keeps_the_file(journalled: Path, database_url: str) -> None:
    database.connect(NOWHERE)
    replay_service.replay()
    assert journalled.exists()
    database.connect(database_url)
    replay_service.replay()
    assert_exact()


def test_the_reaper_leaves_to_the_journal_what_cannot_be_replayed_yet(
    journalled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("a sum that cannot be added to")

    with monkeypatch.context() as patched:
        patched.setattr(rollup, "add", failing)
        lease_service.tick()
    assert (message().status, entries()) == ("running", [])
    lease_service.tick()
    assert_exact()


def test_a_file_that_cannot_be_read_leaves_its_run_to_the_reaper(journalled: Path) -> None:
    journalled.write_bytes(b'{"version":1,"sent":')
    lease_service.tick()
    assert (message().status, message().text) == ("interrupted", WHOLE[:9])
    assert [entry.source for entry in entries()] == ["estimated"]
    assert [file.suffix for file in (journalled.parent / "aside").iterdir()] == [".unreadable"]


def reaped_elsewhere(journalled: Path) -> None:
    """The reaper of a machine that does not have the journal was quicker."""
    content = journalled.read_bytes()
    journalled.unlink()
    with transaction() as session:
        assert reaper_service.reap(session, session.scalars(select(Run.id)).one())
    journalled.write_bytes(content)


def test_after_a_reapers_estimate_the_words_come_back_and_the_count_is_set_aside(journalled: Path) -> None:
    reaped_elsewhere(journalled)
    assert message().text != WHOLE
    lease_service.tick()
    assert (message().status, message().text) == ("interrupted", WHOLE)
    assert [entry.source for entry in entries()] == ["estimated"], "what is booked stays booked"
    assert not journalled.exists()
    (aside,) = (journalled.parent / "aside").iterdir()
    assert b'"prompt_tokens":1000' in aside.read_bytes()
    assert WHOLE not in aside.read_text()


def test_words_do_not_come_back_over_a_later_run(journalled: Path) -> None:
    reaped_elsewhere(journalled)
    with transaction() as session:
        first = session.scalars(select(Run)).one()
        ids = {name: getattr(first, name) for name in ("user_id", "conversation_id", "user_message_id", "message_id")}
        soon = utc_now() + timedelta(minutes=1)
        session.add(Run(id=new_id(), **ids, status="interrupted", worker="another", lease_expires_at=soon))
    lease_service.tick()
    assert message().text == WHOLE[:9]


def test_of_a_deleted_conversation_only_the_count_is_kept(journalled: Path) -> None:
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
    lease_service.tick()
    assert_exact()
    assert not journalled.exists()
    with reading() as session:
        assert session.scalars(select(Message)).all() == []


def test_deleting_a_conversation_books_what_waits_for_it(journalled: Path, member_client: PageClient) -> None:
    conversation_id = message().conversation_id
    assert member_client.delete(f"/api/conversations/{conversation_id}").status_code == 204
    assert_exact()
    assert not journalled.exists()


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


def test_after_an_outage_every_worker_has_the_time_to_renew(
    member_client: PageClient, upstream: ScriptedUpstream, folder: Path, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    member_client.post("/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"})
    as_if_killed()
    database.connect(NOWHERE)
    lease_service._round(lease_service.tick)
    database.connect(database_url)
    lease_service._round(lease_service.tick)
    assert message().status == "running"
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    lease_service._round(lease_service.tick)
    assert message().status == "interrupted"


def test_words_of_a_later_run_stay_whatever_the_clocks_said(journalled: Path) -> None:
    """The instance that came back had a clock that was ahead: the later run's id is the smaller one."""
    reaped_elsewhere(journalled)
    said = f"{message().text} and the words of the later run"
    with transaction() as session:
        first = session.scalars(select(Run)).one()
        ids = {name: getattr(first, name) for name in ("user_id", "conversation_id", "user_message_id", "message_id")}
        later = Run(id="0" * 26, **ids, status="stopped", worker="another", text_before=1, reasoning_before=0)
        later.lease_expires_at = utc_now()
        session.add(later)
        session.execute(update(Message).where(Message.role == "assistant").values(status="stopped", text=said))
    lease_service.tick()
    assert message().text == said


def test_a_database_that_takes_its_time_is_not_waited_for(
    folder: Path, member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may be ended before the database says anything: what it should take is on disk by then."""
    monkeypatch.setattr(run_service, "SLOW_SECONDS", 0.1)
    held = threading.Event()
    settle = completion_service.Completion.settle

    def slow(*arguments: Any, **options: Any) -> Any:
        assert held.wait(20)
        return settle(*arguments, **options)

    monkeypatch.setattr(completion_service.Completion, "settle", slow)
    upstream.script(Answer(WHOLE, usage=USED))
    reader = following(member)
    next(reader)
    (live,) = run_service.live_runs()
    wait_until(lambda: live._settling_since is not None)
    time.sleep(0.2)
    live.journal_if_slow()
    (file,) = folder.glob("*.json")
    kept = journal.read(file.stem)
    held.set()
    assert kept
    assert kept.outcome.whole_text == WHOLE
    assert kept.outcome.usage
    assert kept.outcome.usage.total_tokens == USED.prompt + USED.completion
    for _ in reader:
        pass
    live.thread.join()
    assert list(folder.iterdir()) == []
    assert_exact()
