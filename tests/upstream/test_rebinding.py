"""A provider's name that leads elsewhere than it did: the real client, a lying resolver, a canary that counts."""

import contextlib
import dataclasses
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from flask_app import config
from flask_app.errors import UpstreamError
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import key_admin_service
from flask_app.services.providers.key_admin_service import NewKey
from flask_app.upstream import connection
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.short_replies import list_models
from tests.support import certificates

NAME, PUBLIC, HERE = "models.example", "8.8.8.8", "127.0.0.1"
REPLY = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data":[]}'

Ask = Callable[[Endpoint], None]


def ask_for_models(endpoint: Endpoint) -> None:
    list_models(endpoint)


def ask_for_an_answer(endpoint: Endpoint) -> None:
    ChatStream(endpoint, {"model": "m", "messages": []}, "r").open()


class Canary:
    """Listens on loopback, where nobody may come, and keeps what came all the same."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self._context = context
        self._listener = socket.create_server((HERE, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = self._listener.accept()
                self.heads.append(b"")
                with contextlib.suppress(OSError), self._wrapped(opened) as talking:
                    self.heads[-1] = talking.recv(65536)
                    talking.sendall(REPLY)

    def _wrapped(self, opened: socket.socket) -> socket.socket:
        return self._context.wrap_socket(opened, server_side=True) if self._context else opened


@pytest.fixture
def canary() -> Iterator[Canary]:
    listening = Canary()
    yield listening
    listening.close()


class Net:
    """A resolver that tells the next of `answers` each time, and connections that go no further than this machine.

    `asked` and `tried` are what was asked of them.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = []
        self.asked: list[str] = []
        self.tried: list[str] = []
        connect, resolve = socket.socket.connect, socket.getaddrinfo

        def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[tuple[Any, ...]]:
            if host != NAME:
                return resolve(host, port, *args, **kwargs)
            self.asked.append(host)
            found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        def connect_here(made: socket.socket, place: tuple[str, int]) -> None:
            if made.family == socket.AF_INET:
                self.tried.append(place[0])
                if place[0] != HERE:
                    raise OSError("no route")
            connect(made, place)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Net:
    return Net(monkeypatch)


def endpoint(canary: Canary, *, allow_insecure: bool = False, scheme: str = "http") -> Endpoint:
    return Endpoint(f"{scheme}://{NAME}:{canary.port}", "sk-canary", allow_insecure=allow_insecure)


@pytest.mark.security("request-forgery")
def test_the_canary_hears_who_may_come(canary: Canary, net: Net) -> None:
    net.answers = [[HERE]]
    assert list_models(endpoint(canary, allow_insecure=True)) == []
    (head,) = canary.heads
    assert b"sk-canary" in head


@pytest.mark.security("providers-addresses", "request-forgery")
@pytest.mark.parametrize("ask", [ask_for_models, ask_for_an_answer])
@pytest.mark.parametrize("answer", [[HERE], [PUBLIC, HERE], [HERE, PUBLIC], ["169.254.169.254"], ["10.0.0.1"]])
def test_a_name_that_leads_inside_is_never_connected_to(canary: Canary, net: Net, ask: Ask, answer: list[str]) -> None:
    net.answers = [answer]
    with pytest.raises(UpstreamError, match="upstream_address_private"):
        ask(endpoint(canary))
    assert net.tried == []
    assert canary.heads == []


@pytest.mark.security("providers-addresses")
@pytest.mark.parametrize("ask", [ask_for_models, ask_for_an_answer])
def test_a_name_that_changes_between_check_and_connection_gains_nothing(canary: Canary, net: Net, ask: Ask) -> None:
    net.answers = [[PUBLIC], [HERE]]
    with pytest.raises(UpstreamError, match="upstream_unreachable"):
        ask(endpoint(canary))
    assert net.asked == [NAME], "the resolver is asked once"
    assert net.tried == [PUBLIC], "and what it said was connected to"
    with pytest.raises(UpstreamError, match="upstream_address_private"):
        ask(endpoint(canary))
    assert canary.heads == []


def test_the_next_address_of_a_name_is_tried(canary: Canary, net: Net) -> None:
    net.answers = [[PUBLIC, HERE]]
    assert list_models(endpoint(canary, allow_insecure=True)) == []
    assert net.tried == [PUBLIC, HERE]


def test_a_pinned_connection_still_speaks_to_the_name(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = certificates.contexts(NAME)
    named: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: named.append(name)
    monkeypatch.setattr(connection, "_tls", lambda: client)
    canary = Canary(server)
    net.answers = [[HERE]]
    assert list_models(endpoint(canary, allow_insecure=True, scheme="https")) == []
    assert named == [NAME]
    assert f"\r\nHost: {NAME}:{canary.port}\r\n".encode() in canary.heads[0]
    canary.close()


def test_the_administrator_sees_that_a_name_leads_inside(app: Flask, canary: Canary, net: Net) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False, deepseek_api_key=None))
    net.answers = [[HERE]]
    new = NewKey(label="x", secret="sk-canary-0123", base_url=f"https://{NAME}:{canary.port}")
    assert key_admin_service.add(Actor(user=None), new).key.last_error_code == "upstream_address_private"
    assert canary.heads == []
