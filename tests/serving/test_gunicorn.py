"""The real server process: how it starts, how it ends, and what must not stop it."""

import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from flask_app.streams.keeper import HEARTBEAT_SECONDS
from flask_app.web.bodies import BODY_SECONDS
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, USERNAME, Served, Visitor, is_ready, launch, served
from tests.support.upstream_answers import Answer

HEAD_SECONDS = 20
LONG = "one two three four five six seven eight nine ten " * 3


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


@pytest.fixture
def settings(upstream: ScriptedUpstream) -> dict[str, str]:
    return {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
    }


@pytest.fixture
def server(tmp_path: Path, settings: dict[str, str]) -> Iterator[Served]:
    with served(tmp_path, **settings) as running:
        yield running


def test_may_open_a_file_for_each_connection_and_its_providers(tmp_path: Path, settings: dict[str, str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        with served(tmp_path, **settings) as running:
            limits = [Path(f"/proc/{pid}/limits").read_text() for pid in running.workers()]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    files = [line.split()[3] for each in limits for line in each.splitlines() if line.startswith("Max open files")]
    assert [int(each) for each in files] == [min(2 * 2000 + 512, hard)]


def test_prints_the_set_up_code_once_it_is_ready(server: Served) -> None:
    assert server.get("/readyz").status == 200
    assert server.next_line().startswith("Set-up code: ")


@pytest.mark.security("no-debugger")
def test_tells_no_version_and_opens_no_control_socket(server: Served, tmp_path: Path) -> None:
    assert server.get("/healthz").headers["Server"] == "MingChat"
    assert not (tmp_path / ".gunicorn").exists()


@pytest.mark.security("listens-inside")
def test_believes_no_forwarded_scheme_without_a_trusted_proxy(server: Served) -> None:
    server.headers = {"X-Forwarded-Proto": "https"}
    assert "Strict-Transport-Security" not in server.get("/login").headers


def test_who_waits_for_a_whole_answer_gets_a_sign_of_life_meanwhile(server: Served, upstream: ScriptedUpstream) -> None:
    server.set_up()
    upstream.script(Answer("at last", first_token_after=HEARTBEAT_SECONDS + 2))
    server.headers |= {"Accept": "application/json"}
    reply = server.ask("POST", "/api/chat", {"message": "hello"}, whole=False)
    assert reply.status == 200
    assert reply.read(1) == b" ", "a blank, before the answer"
    answer = json.loads(reply.read())
    assert (answer["text"], answer["status"], answer["error"]) == ("at last", "complete", None)


@pytest.mark.security("hashing-aside")
def test_hashing_passwords_keeps_nobody_waiting(server: Served) -> None:
    server.set_up()
    waits: list[float] = []

    def sign_in() -> None:
        for _ in range(3):
            server.post("/api/login", {"username": USERNAME, "password": PASSWORD})

    threads = [threading.Thread(target=sign_in) for _ in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        asked = time.monotonic()
        assert server.get("/healthz").status == 200
        waits.append(time.monotonic() - asked)
    hashed = time.monotonic() - started
    assert len(waits) > 12, "more requests than hashes must have been answered meanwhile"
    assert statistics.median(waits) < hashed / 12, "a request waited as long as a hash takes"


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}xx0\r\n\r\n"])
def test_a_body_in_broken_pieces_is_the_clients_mistake(server: Served, chunk: bytes) -> None:
    port = int(server.base_url.rpartition(":")[2])
    head = f"POST /api/login HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as opened:
        opened.sendall(f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode() + chunk)
        assert opened.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.security("disabled-is-out", "demoted-mid-stream")
def test_a_stream_ends_within_seconds_of_its_session(server: Served, upstream: ScriptedUpstream) -> None:
    """Its events go from the run straight to the socket: nobody asks about the session on their way."""
    server.set_up()
    owner = Visitor(server.base_url)
    owner.sign_in(owner.post("/api/login", {"username": USERNAME, "password": PASSWORD}))
    upstream.script(Answer(text=LONG * 50, tokens_per_second=20))
    events = iter(server.chat("Count."))
    while next(events)[0] != "token":
        pass
    assert owner.ask("DELETE", "/api/me/sessions", None).status == 204
    ended = time.monotonic()
    rest = [name for name, _ in events]
    assert set(rest) == {"token"}
    assert time.monotonic() - ended < 20


def test_sigterm_lets_an_answer_finish(server: Served, upstream: ScriptedUpstream) -> None:
    server.set_up()
    upstream.script(Answer(text=LONG, tokens_per_second=20))
    events = iter(server.chat("Count."))
    assert next(events)[0] == "start"
    server.process.send_signal(signal.SIGTERM)
    rest = list(events)
    assert "".join(event["text"] for name, event in rest if name == "token") == LONG
    assert rest[-1] == ("done", rest[-1][1] | {"status": "complete"})
    server.process.wait(60)


def test_sigterm_lets_an_answer_finish_whose_reader_has_left(
    server: Served, settings: dict[str, str], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    server.set_up()
    upstream.script(Answer(text=LONG, tokens_per_second=10))
    stream = server.chat("Count.")
    conversation = next(iter(stream))[1]["conversation_id"]
    stream.close()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(60)

    with served(tmp_path, **settings) as again:
        again.headers = server.headers
        answer = again.get(f"/api/conversations/{conversation}").json()["messages"][-1]
    assert (answer["status"], answer["text"]) == ("complete", LONG)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_has_ended_leaves_one_whole_file_in_which_nobody_serves(
    number: signal.Signals, server: Served, tmp_path: Path
) -> None:
    server.set_up()
    list(server.chat("Hello."))
    database = tmp_path / "mingchat.db"
    wait_until(lambda: rows(database, "SELECT process FROM server_processes") == [(server.workers()[0],)])
    server.process.send_signal(number)
    server.process.wait(60)
    assert not (tmp_path / "mingchat.db-wal").exists()
    shutil.copy(database, copy := tmp_path / "copy.db")
    assert rows(copy, "SELECT username FROM users") == [(USERNAME,)]
    assert rows(copy, "SELECT status FROM messages WHERE role = 'assistant'") == [("complete",)]
    assert rows(copy, "SELECT process FROM server_processes WHERE ended_at IS NULL") == []


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_answers_may_finish_for_as_long_as_the_setting_says(
    settings: dict[str, str], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.script(Answer(text=LONG * 20, tokens_per_second=20))
    with served(tmp_path / "hasty", **settings, ANSWERS_MAY_FINISH_SECONDS="1") as hasty:
        hasty.set_up()
        events = iter(hasty.chat("Count."))
        assert next(events)[0] == "start"
        asked = time.monotonic()
        hasty.process.send_signal(signal.SIGTERM)
        assert list(events)[-1][1]["status"] == "interrupted"
        assert 1 < time.monotonic() - asked < 18, (
            "neither for as long as it takes, nor for as long as without the setting"
        )


def test_ctrl_c_settles_what_was_being_answered(
    server: Served, settings: dict[str, str], upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    server.set_up()
    upstream.script(Answer(text=LONG * 20, tokens_per_second=20))
    events = iter(server.chat("Count."))
    conversation = next(events)[1]["conversation_id"]
    while next(events)[0] != "token":
        pass
    server.process.send_signal(signal.SIGINT)
    server.process.wait(60)

    with served(tmp_path, **settings) as again:
        again.headers = server.headers
        answer = again.get(f"/api/conversations/{conversation}").json()["messages"][-1]
    assert answer["status"] == "interrupted"
    assert answer["text"], "what had been said is kept"
    assert answer["usage"]["total_tokens"] > 0, "and counted"


def test_ctrl_c_ends_a_server_without_a_word(settings: dict[str, str], tmp_path: Path) -> None:
    """The terminal tells gunicorn and its worker, and gunicorn its worker again."""
    with (tmp_path / "log").open("w+") as log:
        running = launch(tmp_path, free_port(), settings, log)
        with running.process:
            assert is_ready(running)
            told = log.seek(0, os.SEEK_END)
            running.signal(signal.SIGINT)
            assert running.process.wait(60) == 0
        log.seek(told)
        assert log.read() == ""


@pytest.mark.security("slow-clients")
def test_nobody_holds_a_connection_by_sending_nothing(server: Served) -> None:
    """Neither the rest of a body nor that of a head; what another sends meanwhile is answered."""
    server.set_up()
    port = int(server.base_url.rpartition(":")[2])
    head = f"POST /api/login HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
    began = time.monotonic()
    with ExitStack() as stack:
        bodies, heads = (
            [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)) for _ in range(10)]
            for _ in range(2)
        )
        for body in bodies:
            body.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        for unended in heads:
            unended.sendall(head.encode())
        for unended in heads:
            assert unended.recv(100) == b""
        assert time.monotonic() - began < HEAD_SECONDS
        assert server.post("/api/login", {"username": USERNAME, "password": PASSWORD}).status == 200
        assert time.monotonic() - began < BODY_SECONDS
        for body in bodies:
            assert body.recv(100).startswith(b"HTTP/1.1 408 ")
            while body.recv(1000):
                pass
        assert BODY_SECONDS - 1 < time.monotonic() - began < BODY_SECONDS + HEAD_SECONDS
