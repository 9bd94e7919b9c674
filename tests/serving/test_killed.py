"""A worker that is killed in mid-answer: what it takes with it."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from flask_app.services.lease_service import KEEP_SECONDS
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served
from tests.support.upstream_answers import Answer

TOKENS_A_SECOND = 20
SLACK_SECONDS = 1
ENDLESS = Answer("word " * 2000, tokens_per_second=TOKENS_A_SECOND)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with ScriptedUpstream() as upstream:
        upstream.script(ENDLESS)
        settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1"}
        with served(tmp_path, DEEPSEEK_API_KEY="test-key", **settings) as running:
            running.set_up()
            yield running


def worker_of(server: Served) -> int:
    """The one child of gunicorn's first process that is not a helper of its own."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    (worker,) = children
    return int(worker)


def kept(server: Served, conversation_id: str) -> str:
    text: str = server.get(f"/api/conversations/{conversation_id}").json()["messages"][-1]["text"]
    return text


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
    while not (first := kept(server, conversation)):
        time.sleep(0.05)
    time.sleep(2 * KEEP_SECONDS + 0.5)
    os.kill(worker_of(server), signal.SIGKILL)
    reader.join(10)
    whole, left = "".join(seen), kept(server, conversation)
    assert whole.startswith(left)
    assert len(left) > len(first)
    lost = len(whole[len(left) :].split())
    assert lost <= TOKENS_A_SECOND * (KEEP_SECONDS + SLACK_SECONDS)
