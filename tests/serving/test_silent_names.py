"""A provider whose name server is silent, under the real server: it has ten threads for all that would hold it up."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD, USERNAME, Served, Visitor, served

SILENT = "silent.example"
CONNECT_SECONDS = 6
SOON = 5.0
MANY = 12  # more than there are threads
# What the C library does while no name server replies, as far as its caller can see. Python loads it first.
RESOLVER = f"""
import _socket, os, time
_ask, _sleep = _socket.getaddrinfo, time.sleep
def getaddrinfo(host, *rest, **more):
    if host in ("{SILENT}", b"{SILENT}"):
        if os.path.exists(os.environ["HOME"] + "/silent"):
            _sleep(30)
        host = "127.0.0.1"
    return _ask(host, *rest, **more)
_socket.getaddrinfo = getaddrinfo
"""


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.models, running.default = ["near"], Answer("here it is")
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    (tmp_path / "sitecustomize.py").write_text(RESOLVER)
    settings = {
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "MAX_RUNS_PER_USER": "100",
        "CHAT_RATE_LIMIT": "1000 per minute",
        "UPSTREAM_CONNECT_SECONDS": str(CONNECT_SECONDS),
        "PYTHONPATH": str(tmp_path),
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        add_key(running, "near", upstream.base_url)
        with ScriptedUpstream() as far:
            far.models = ["far"]
            add_key(running, "far", f"http://{SILENT}:{far.port}")
        (tmp_path / "silent").touch()
        yield running


def add_key(server: Served, name: str, base_url: str) -> None:
    new = {"label": name, "secret": f"sk-{name}-0123", "base_url": base_url, "provider_name": name}
    reply = server.post("/api/admin/keys", new)
    assert reply.status == 201, reply.data


def test_nobody_else_waits_for_a_silent_name_server(server: Served) -> None:
    with ThreadPoolExecutor(MANY) as people:
        asked = [people.submit(list, server.chat("?", model="far")) for _ in range(MANY)]
        began = time.monotonic()
        stranger = Visitor(server.base_url)
        stranger.sign_in(stranger.post("/api/login", {"username": USERNAME, "password": PASSWORD}))
        assert [name for name, _ in server.chat("?", model="near")][-1] == "done"
        assert time.monotonic() - began < SOON
        assert not any(each.done() for each in asked)
        for each in asked:
            ((_, error),) = [event for event in each.result() if event[0] == "error"]
            assert error["code"] == "upstream_unreachable"
    assert time.monotonic() - began < 3 * CONNECT_SECONDS + SOON, "as often as one is tried"


def test_stop_ends_an_answer_that_waits_for_a_silent_name_server(server: Served) -> None:
    stream = iter(server.chat("?", model="far"))
    _, start = next(stream)
    began = time.monotonic()
    assert server.post(f"/api/runs/{start['run_id']}/stop", {}).json() == {"status": "stopping"}
    assert list(stream)[-1][0] == "done"
    assert time.monotonic() - began < SOON


def test_a_host_that_is_nowhere_leaves_no_traceback_in_the_log(tmp_path: Path) -> None:
    """gevent prints what a task of its threads raises, although whoever waits for it is told."""
    with (tmp_path / "log").open("w+") as log:
        with served(tmp_path, log) as running:
            running.set_up()
            new = {"label": "far", "secret": "sk-far-0123", "base_url": "https://nowhere.invalid", "provider_name": "x"}
            key = running.post("/api/admin/keys", new).json()
            told = running.post(f"/api/admin/keys/{key['id']}/test", {}).json()
        assert told["error"]["code"] == "upstream_unreachable", told
        log.seek(0)
        assert "Traceback" not in log.read()
