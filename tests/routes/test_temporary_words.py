"""However a temporary chat ends, none of its words is written down, and its tokens are booked as any."""

import dataclasses
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.config import Config
from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.models import Run
from flask_app.services.ledger import journal, replay_service
from flask_app.services.runs import departure, lease_service, reaper_service, run_service, stop_service
from tests.support import temporary
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.temporary import ANSWERED, begin, compare, files_with_words, heard, tables_with_words


@pytest.fixture(autouse=True)
def folder(app: Flask, base_config: Config, tmp_path: Path) -> Iterator[Path]:
    """Where files of the instance go, of this test alone."""
    config.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path
    run_service.shutdown()
    config.install(base_config)


def status() -> str:
    with reading() as session:
        return session.scalars(select(Run.status)).one()


def test_words_are_found_where_they_stand(member_client: PageClient, upstream: ScriptedUpstream, folder: Path) -> None:
    upstream.script(Answer(f"a {ANSWERED}"))
    assert member_client.post("/api/chat", json={"message": "hello"}).data
    assert "messages" in tables_with_words()
    (folder / "file").write_text(f"a {ANSWERED}", encoding="utf-8")
    assert files_with_words(folder) == {"file"}


def test_one_that_is_finished(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer(f"a {ANSWERED}", thinking=ANSWERED))
    assert heard(temporary.ask(member_client))[-1].data["status"] == "complete"
    assert (compare(upstream).outcome, status()) == ("complete", "complete")
    assert tables_with_words() == set()


def test_while_it_is_written_and_once_it_is_stopped(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    live, reader = begin(member_client, upstream)
    lease_service.keep()
    assert tables_with_words() == set()
    assert member_client.post(f"/api/runs/{live.begun.run_id}/stop").status_code == 202
    assert compare(upstream).outcome == "stopped"
    assert (status(), tables_with_words()) == ("stopped", set())
    reader.close()


def test_it_ends_when_its_page_is_closed_though_the_group_lets_answers_go_on(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departure, "GRACE_SECONDS", 0.1)
    live, reader = begin(member_client, upstream)
    stop_service.look()
    assert live.stop.status is None, "somebody reads it"
    reader.close()

    def has_ended() -> bool:
        stop_service.look()
        return not run_service.live_runs()

    wait_until(has_ended)
    entry = compare(upstream)
    assert (entry.outcome, entry.source, status()) == ("left", "estimated", "left")
    assert upstream.journal.last.closed_early
    assert tables_with_words() == set()


def test_one_whose_worker_is_killed_is_booked_by_what_had_come(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    live, reader = begin(member_client, upstream)
    wait_until(lambda: len(live.completion.outcome.text) > 200)
    lease_service.keep()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now().replace(year=2020), worker="dead"))
    assert in_transaction(lambda session: reaper_service.reap(session, live.begun.run_id))
    stop_service.look()  # the worker was not dead after all
    reader.close()
    entry = compare(upstream)
    assert (entry.outcome, entry.source, status()) == ("interrupted", "estimated", "interrupted")
    assert entry.completion_tokens > 20
    assert tables_with_words() == set()


def test_where_the_disk_does_not_take_it_either_its_reader_waits_for_the_end(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    folder: Path,
    away: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        away.set()  # and the database is back
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    upstream.script(Answer(f"a {ANSWERED}"))
    assert heard(temporary.ask(member_client))[-1].name == "done"
    assert compare(upstream).source == "reported"
    assert (journal.waiting(), tables_with_words()) == (set(), set())


@pytest.mark.parametrize("counted", [True, False])
def test_what_waits_on_disk_is_its_count_and_no_word(
    member_client: PageClient, upstream: ScriptedUpstream, folder: Path, away: threading.Event, counted: bool
) -> None:
    upstream.script(Answer(f"a {ANSWERED}", thinking=f"{ANSWERED}, perhaps", tells_usage=counted))
    told = heard(temporary.ask(member_client))
    assert told[-1].name == "done", "nothing is to be saved that its reader would have to wait for"
    (attempt_id,) = journal.waiting()
    assert files_with_words(folder) == set()
    waiting = journal.read(attempt_id)
    assert waiting is not None
    (live,) = run_service.live_runs()
    del run_service._live[live.begun.run_id]  # as if its process had died
    away.set()
    replay_service.replay()
    assert journal.waiting() == set()
    live.thread.join()  # it finds all of it booked
    entry, usage = compare(upstream), told[-2].data
    assert entry.source == ("reported" if counted else "estimated")
    names = ("prompt_tokens", "completion_tokens", "reasoning_tokens")
    assert [getattr(entry, name) for name in names] == [usage[name] for name in names]
    assert entry.reasoning_tokens > 0
    assert (status(), tables_with_words()) == ("complete", set())
