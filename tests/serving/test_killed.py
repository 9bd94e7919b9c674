"""A worker that is killed in mid-answer: what it takes with it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from flask_app.services.runs.lease_service import KEEP_SECONDS
from flask_app.services.runs.run_service import LEASE
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, Stream, served
from tests.support.upstream_answers import Answer

TOKENS_A_SECOND = 20
SLACK_SECONDS = 4
ENDLESS = Answer("word " * 2000, tokens_per_second=TOKENS_A_SECOND)


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    upstream.script(ENDLESS)
    settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1"}
    with served(tmp_path, DEEPSEEK_API_KEY="test-key", **settings) as running:
        running.set_up()
        yield running


def kept(server: Served, conversation_id: str) -> str:
    text: str = answer_of(server, conversation_id)["text"]
    return text


def answer_of(server: Served, conversation_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.get(f"/api/conversations/{conversation_id}").json()["messages"][-1]
    return answer


def test_a_killed_worker_takes_no_more_than_the_last_seconds(server: Served) -> None:
    events = iter(server.chat("Go on."))
    conversation = next(events)[1]["conversation_id"]
    seen: list[str] = []

    def read() -> None:
        with contextlib.suppress(urllib3.exceptions.ProtocolError):  # the worker's end, in mid-chunk
            for name, event in events:
                seen.extend([event["text"]] if name == "token" else [])

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(lambda: kept(server, conversation))
    first = kept(server, conversation)
    time.sleep(2 * (KEEP_SECONDS + SLACK_SECONDS))
    os.kill(server.workers()[0], signal.SIGKILL)
    reader.join(60)
    whole, left = "".join(seen), kept(server, conversation)
    assert whole.startswith(left)
    assert len(left) > len(first)
    lost = len(whole[len(left) :].split())
    assert lost <= TOKENS_A_SECOND * (KEEP_SECONDS + SLACK_SECONDS)


def test_an_answer_goes_on_after_its_worker_was_killed(server: Served, upstream: ScriptedUpstream) -> None:
    """Nobody else serves an instance with SQLite: no lease is waited for."""
    events = iter(server.chat("Go on."))
    start = next(events)[1]
    wait_until(lambda: kept(server, start["conversation_id"]))
    (killed,) = server.workers()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: answer_of(server, start["conversation_id"])["status"] == "interrupted", LEASE.seconds * 2 / 3)
    half = answer_of(server, start["conversation_id"])
    assert half["text"]
    upstream.script(Answer("and this is the end"))
    told = list(Stream(server.ask("POST", f"/api/runs/{half['run_id']}/continue", {}, whole=False)))
    assert "".join(event["text"] for name, event in told if name == "token") == half["text"] + "and this is the end"
    assert upstream.journal.last.prefix == half["text"]
    whole = answer_of(server, start["conversation_id"])
    assert (whole["text"], whole["status"]) == (half["text"] + "and this is the end", "complete")
    records = server.get("/api/usage/records").json()["records"]
    assert sorted(record["source"] for record in records) == ["estimated", "reported"]
    assert whole["usage"]["total_tokens"] == sum(
        record["prompt_tokens"] + record["completion_tokens"] for record in records
    )


def test_a_reload_ends_nobodys_answer(server: Served, upstream: ScriptedUpstream) -> None:
    """The new worker begins while the old one is still writing: it is not alone."""
    upstream.forget_scripts()
    upstream.script(Answer("word " * 100, tokens_per_second=TOKENS_A_SECOND))
    events = iter(server.chat("Go on."))
    first = next(event["text"] for name, event in events if name == "token")
    os.kill(server.process.pid, signal.SIGHUP)
    rest = list(events)
    assert first + "".join(event["text"] for name, event in rest if name == "token") == "word " * 100
    assert (rest[-1][0], rest[-1][1]["status"]) == ("done", "complete")
    (record,) = server.get("/api/usage/records").json()["records"]
    assert record["source"] == "reported"


def test_a_worker_that_stood_still_blames_nobody_for_it(tmp_path: Path, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("word " * 60, tokens_per_second=TOKENS_A_SECOND))
    settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1", "UPSTREAM_IDLE_SECONDS": "5"}
    with served(tmp_path, DEEPSEEK_API_KEY="test-key", UPSTREAM_TOTAL_SECONDS="8", **settings) as server:
        server.set_up()
        events = iter(server.chat("go"))
        next(event for name, event in events if name == "token")
        (worker,) = server.workers()
        os.kill(worker, signal.SIGSTOP)
        time.sleep(9)
        os.kill(worker, signal.SIGCONT)
        assert list(events)[-1] == ("done", {"status": "complete", "finish_reason": "stop", "title": "go"})
