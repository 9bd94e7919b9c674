"""A resolver that is silent for one host: nobody waits for it longer than they may, and nobody else waits at all."""

import dataclasses
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flask_app import config
from flask_app.errors import UpstreamError
from flask_app.upstream import names
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.names import Found
from tests.support.brokers import wait_until

SILENT, KNOWN, UNKNOWN = "silent.example", "known.example", "unknown.example"
HERE: Found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]
PATIENCE = 0.3
FOR_EVER = 60  # much longer than anything here takes
MANY = 12


class Resolver:
    """`asked` is what it was asked for; for the silent host it says nothing until it is `freed`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.freed = threading.Event()

    def __call__(self, host: str, port: int) -> Found:
        self.asked.append(host)
        if host == SILENT:
            self.freed.wait(FOR_EVER)
        if host == UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return HERE


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    names.ask_with(made)
    yield made
    made.freed.set()
    wait_until(lambda: not names._asked)
    names.ask_with(names.ask_directly)


def look_up(host: str, seconds: float = FOR_EVER) -> Found:
    return names.look_up(host, 80, seconds=seconds, woken=threading.Event())


def test_a_silent_name_server_is_waited_for_as_long_as_a_connection_is(resolver: Resolver) -> None:
    config.install(dataclasses.replace(config.current(), upstream_connect_seconds=PATIENCE))
    began = time.monotonic()
    with pytest.raises(UpstreamError, match="upstream_unreachable") as raised:
        ChatStream(Endpoint(f"https://{SILENT}", "sk"), {"model": "m", "messages": []}, "r").open()
    assert raised.value.retryable
    assert PATIENCE <= time.monotonic() - began < FOR_EVER / 2


def test_a_connection_that_is_shut_waits_no_longer(resolver: Resolver) -> None:
    made, began = Connection(Origin("https", SILENT, 443, allow_insecure=False)), time.monotonic()

    def shut_once_it_waits() -> None:
        wait_until(lambda: resolver.asked)
        time.sleep(PATIENCE)
        made.shutdown()

    threading.Thread(target=shut_once_it_waits).start()
    with pytest.raises(UpstreamError, match="upstream_unreachable"):
        made.connect(FOR_EVER)
    assert PATIENCE <= time.monotonic() - began < FOR_EVER / 2


def test_a_connection_that_was_shut_before_does_not_wait_at_all(resolver: Resolver) -> None:
    made, began = Connection(Origin("https", SILENT, 443, allow_insecure=False)), time.monotonic()
    made.shutdown()
    with pytest.raises(ConnectionAbortedError):
        made.connect(FOR_EVER)
    assert time.monotonic() - began < FOR_EVER / 2


def test_whoever_wants_the_same_host_meanwhile_asks_together(resolver: Resolver) -> None:
    with ThreadPoolExecutor(MANY) as people:
        waiting = [people.submit(look_up, SILENT) for _ in range(MANY)]
        wait_until(lambda: [len(each.waiting) for each in names._asked.values()] == [MANY])
        assert look_up(KNOWN) == HERE, "another host is not waited for"
        resolver.freed.set()
        assert [each.result() for each in waiting] == [HERE] * MANY
    assert resolver.asked == [SILENT, KNOWN]


def test_a_host_is_asked_for_anew_each_time(resolver: Resolver) -> None:
    for _ in range(2):
        assert look_up(KNOWN) == HERE
    assert resolver.asked == [KNOWN, KNOWN]


def test_an_answer_that_came_too_late_is_nobodys(resolver: Resolver) -> None:
    with pytest.raises(TimeoutError, match=SILENT):
        look_up(SILENT, PATIENCE)
    resolver.freed.set()
    wait_until(lambda: not names._asked)
    assert look_up(SILENT) == HERE
    assert resolver.asked == [SILENT, SILENT]


def test_a_host_that_there_is_not_is_told_to_each_who_asks(resolver: Resolver) -> None:
    for _ in range(2):
        with pytest.raises(OSError, match=UNKNOWN):
            look_up(UNKNOWN)
