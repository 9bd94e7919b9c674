"""Readers who leave the real server: what their groups say becomes of the answer, and it is all booked."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from flask_app.domain.events import estimate_tokens
from flask_app.services.runs.departure import GRACE_SECONDS
from flask_app.streams.keeper import HEARTBEAT_SECONDS
from tests.support.brokers import PATIENCE, wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, Served, served
from tests.support.upstream_answers import Answer

WORDS = " ".join(f"word{number}" for number in range(4000))
LIMIT = 3200  # at this pace not before the grace is long over


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.default = Answer(WORDS, tokens_per_second=40)
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1"}
    with served(tmp_path, DEEPSEEK_API_KEY="test-key", **settings) as running:
        running.set_up()
        yield running


class Person:
    """Somebody who asks for an answer, and a browser of theirs."""

    def __init__(self, server: Served, name: str, group_id: str) -> None:
        person = {"username": name, "password": PASSWORD, "group_id": group_id}
        assert server.post("/api/admin/users", person).status == 201
        stranger = dataclasses.replace(server, headers={})
        reply = stranger.post("/api/login", {"username": name, "password": PASSWORD})
        cookie = reply.headers["Set-Cookie"].split(";")[0]
        headers = {"Cookie": cookie, "X-CSRF-Token": reply.json()["csrf_token"]}
        self._server = dataclasses.replace(server, headers=headers)
        self._start: dict[str, Any] = {}

    def ask_and_leave(self) -> None:
        stream = self._server.chat("Go.")
        self._start = next(iter(stream))[1]
        stream.close()

    def come_back(self) -> Any:
        """Read on; closing what this gives is leaving again."""
        stream = self._server.follow(self._start["run_id"])
        next(iter(stream))
        return stream

    @property
    def answer(self) -> dict[str, Any]:
        path = f"/api/conversations/{self._start['conversation_id']}"
        return dict(self._server.get(path).json()["messages"][-1])

    @property
    def status(self) -> str:
        return str(self.answer["status"])

    @property
    def entry(self) -> dict[str, Any]:
        (only,) = self._server.get("/api/usage/records").json()["records"]
        return dict(only)


class Terse(Person):
    """Somebody whose program waits for the whole answer as JSON, and is ended meanwhile."""

    def ask_and_leave(self) -> None:
        headers = self._server.headers | {"Accept": "application/json", "Origin": self._server.base_url}
        with contextlib.suppress(urllib3.exceptions.ReadTimeoutError):
            url = self._server.base_url + "/api/chat"
            urllib3.request("POST", url, json={"message": "Go."}, headers=headers, timeout=1, retries=False)
        wait_until(self._conversations)
        (conversation,) = self._conversations()
        self._start = {"conversation_id": conversation["id"]}

    def _conversations(self) -> list[dict[str, Any]]:
        return list(self._server.get("/api/conversations").json()["conversations"])


def group(server: Served, **settings: Any) -> str:
    reply = server.post("/api/admin/groups", settings)
    assert reply.status == 201, reply.data
    return str(reply.json()["id"])


def test_an_answer_whose_reader_left_ends_as_the_group_says(server: Served) -> None:
    strict = group(server, name="strict", on_disconnect="stop")
    frugal = group(server, name="frugal", on_disconnect="limit", on_disconnect_tokens=LIMIT)
    patient = group(server, name="patient")
    gone, restless = Person(server, "gone", strict), Person(server, "restless", strict)
    limited, carried_on = Person(server, "limited", frugal), Person(server, "carried on", patient)
    terse = Terse(server, "terse", strict)
    began = time.monotonic()
    for person in (terse, limited, carried_on, restless, gone):
        person.ask_and_leave()

    time.sleep(GRACE_SECONDS * 0.5)
    assert gone.status == "running", "the reader may just be reloading"
    restless.come_back().close()
    wait_until(lambda: gone.status == "left")
    assert time.monotonic() - began > GRACE_SECONDS
    held = restless.come_back()
    assert limited.status == "running"
    wait_until(lambda: limited.status == "left", GRACE_SECONDS + PATIENCE)
    assert time.monotonic() - began > GRACE_SECONDS * 1.2
    assert restless.status == carried_on.status == "running", "whoever comes back in time has not left"
    wait_until(lambda: terse.status == "left", HEARTBEAT_SECONDS + PATIENCE)
    held.close()

    for person in (gone, limited, terse):
        text, entry = person.answer["text"], person.entry
        assert WORDS.startswith(text)
        assert (entry["outcome"], entry["source"]) == ("left", "estimated")
        assert entry["completion_tokens"] == estimate_tokens(text)
    assert limited.entry["completion_tokens"] >= LIMIT
