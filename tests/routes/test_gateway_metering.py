"""Whatever happens at the gateway: the provider's requests, our attempts and the ledger say the same."""

import dataclasses
import errno
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from flask_app import config, durable
from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.models import Attempt, Run, TokenUsage, User
from flask_app.services.ledger import journal, replay_service
from flask_app.services.runs import lease_service, reaper_service, run_service
from tests.support.brokers import PATIENCE, wait_until
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ErrorEvent, Raw, ScriptedUpstream, Stall, Status

SLOW = Answer("word " * 2000, tokens_per_second=100)
APIS = ("complete", "respond", "message")  # OpenAI's two and Anthropic's
SCRIPTS: dict[str, Any] = {
    "success": Answer("well done"),
    "no usage": Answer("well done", tells_usage=False),
    "cumulative": Answer("well done", cumulative_usage=True),
    "refused": Status(400),
    "fault": Status(500),
    "busy": Status(429),
    "error event": ErrorEvent(after="It began"),
    "cut": Answer("a longer answer " * 20, cut_at=900),
    "garbage": Raw(after="It began"),
    "stall": Stall(after="It began"),
    "silence": Stall(),
}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def compare(upstream: ScriptedUpstream) -> None:
    """Requests, attempts and entries one to one, and tokens equal where the provider told them."""
    wait_until(lambda: not run_service.live_runs())
    upstream.journal.wait_until_idle()
    with reading() as session:
        attempts = {attempt.id: attempt for attempt in session.scalars(select(Attempt))}
        entries = {entry.attempt_id: entry for entry in session.scalars(select(TokenUsage))}
        assert session.scalar(select(func.count()).select_from(Run)) == 0
    told = {request.headers["x-request-id"]: request for request in upstream.journal.chats}
    assert told.keys() == attempts.keys()
    assert len(upstream.journal.chats) == len(attempts)
    for attempt_id, attempt in attempts.items():
        assert attempt.state in {"settled", "released"}
        assert (attempt.state == "settled") == (attempt_id in entries)
        entry, request = entries.get(attempt_id), told[attempt_id]
        assert attempt.token_id is not None
        assert entry is None or entry.token_id == attempt.token_id
        if entry and entry.source == "reported":
            assert request.usage_sent is not None
            assert (entry.prompt_tokens, entry.completion_tokens) == (
                request.usage_sent.prompt,
                request.usage_sent.completion,
            )
        if request.status == 200 and request.text_sent and request.outcome == "complete":
            assert entry is not None


def hurry() -> None:
    """Deadlines that a test can wait for."""
    hurried = {"upstream_first_token_seconds": 1, "upstream_idle_seconds": 1}
    config.install(dataclasses.replace(config.current(), **hurried))  # type: ignore[arg-type]


@pytest.mark.each_case
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_books_agree(program: Program, upstream: ScriptedUpstream, name: str, stream: bool, api: str) -> None:
    if name in {"stall", "silence"}:
        hurry()
    upstream.script(SCRIPTS[name])
    getattr(program, api)(stream=stream)
    assert upstream.journal.chats
    compare(upstream)


@pytest.mark.parametrize("api", APIS)
def test_a_program_that_goes_away_stops_the_provider_and_pays_for_what_came(
    program: Program, upstream: ScriptedUpstream, api: str
) -> None:
    upstream.script(SLOW)
    response = getattr(program, api)(stream=True, buffered=False)
    frames = iter(response.response)
    for _ in range(3):
        next(frames)
    began = time.monotonic()
    response.close()
    compare(upstream)
    assert time.monotonic() - began < 15
    assert upstream.journal.last.closed_early
    with reading() as session:
        entry = session.scalars(select(TokenUsage)).one()
    assert (entry.outcome, entry.source) == ("left", "estimated")
    assert 0 < entry.completion_tokens < 400


def test_a_worker_that_dies_leaves_an_estimate_of_what_had_come(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(SLOW)
    response = program.complete(stream=True, buffered=False)
    wait_until(lambda: run_service.live_runs() and len(run_service.live_runs()[0].completion.outcome.text) > 100)
    (live,) = run_service.live_runs()
    lease_service.keep()
    with transaction() as session:
        lapsed = {"lease_expires_at": utc_now().replace(year=2020), "worker": "dead"}
        session.execute(update(Run).values(lapsed))
    assert in_transaction(lambda session: reaper_service.reap(session, live.begun.run_id))
    with reading() as session:
        entry = session.scalars(select(TokenUsage)).one()
    assert (entry.source, entry.outcome) == ("estimated", "interrupted")
    assert entry.completion_tokens > 20
    response.close()
    compare(upstream)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(TokenUsage)) == 1


def test_what_waits_on_disk_is_booked_once_by_whoever_finds_it(
    member: User, program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.script(SLOW)
    response = program.complete(stream=True, buffered=False)
    wait_until(lambda: run_service.live_runs() and run_service.live_runs()[0].completion.outcome.text)
    (live,) = run_service.live_runs()
    assert journal.keep(live._settlements()[0])
    del run_service._live[live.begun.run_id]  # as if another process found it
    replay_service.replay()
    assert journal.waiting() == set()
    with reading() as session:
        assert session.scalars(select(TokenUsage.channel)).all() == ["api"]
        assert session.scalars(select(Run)).all() == []
    run_service._live[live.begun.run_id] = live
    response.close()
    compare(upstream)


def test_any_sequence_of_calamities_keeps_the_books(app: Flask, program: Program, upstream: ScriptedUpstream) -> None:
    quick = [name for name in SCRIPTS if name not in {"stall", "silence"}]

    @settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.sampled_from([*quick, "abort"]), st.booleans()), min_size=1, max_size=6))
    def holds(acts: list[tuple[str, bool]]) -> None:
        for name, stream in acts:
            upstream.forget_scripts()
            upstream.script(SLOW if name == "abort" else SCRIPTS[name])
            response = program.complete(stream=stream or name == "abort", buffered=name != "abort")
            response.close()
        compare(upstream)

    holds()


def test_the_answer_ends_for_its_program_while_the_database_is_away(
    program: Program, upstream: ScriptedUpstream, away: threading.Event
) -> None:
    assert program.complete().status_code == 200
    assert len(journal.waiting()) == 1
    away.set()
    compare(upstream)
    assert journal.waiting() == set()


def test_it_does_not_end_before_the_disk_has_it_either(
    program: Program, upstream: ScriptedUpstream, away: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a program takes for the end must outlive this process."""
    is_full = True
    write = durable.write

    def write_if_there_is_room(path: Path, content: bytes) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(durable, "write", write_if_there_is_room)
    asking = threading.Thread(target=program.complete)
    asking.start()
    asking.join(1)
    assert asking.is_alive()
    is_full = False
    asking.join(PATIENCE)
    assert not asking.is_alive()
    assert len(journal.waiting()) == 1
    away.set()
    compare(upstream)
