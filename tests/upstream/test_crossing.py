"""A provider that says more than it was asked for: no word of it reaches whoever asks next on that connection."""

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from flask_app.domain.events import Event, Token
from flask_app.errors import UpstreamError
from flask_app.upstream import client, connection
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.short_replies import fetch
from tests.support import certificates
from tests.support.brokers import PATIENCE

PEOPLE = ["ann", "bob", "ann", "cyd"]


class Said(NamedTuple):
    """What an asker is told at once, and what comes on the same connection once they have read it."""

    now: bytes
    later: bytes = b""


class Provider:
    """Says `frame(who)` to whoever asks, and the later part of it when the test says `go_on`."""

    def __init__(self, frame: Callable[[str], Said], context: ssl.SSLContext | None = None) -> None:
        self._frame, self._context = frame, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._may_go_on, self._went_on = threading.Semaphore(0), threading.Semaphore(0)
        self.connections = 0
        place = f"https://localhost:{self.port}" if context else f"http://127.0.0.1:{self.port}"
        self.endpoint = Endpoint(place, "sk-a", allow_insecure=True)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def go_on(self) -> None:
        self._may_go_on.release()
        assert self._went_on.acquire(timeout=PATIENCE)

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=(opened,), daemon=True).start()

    def _talk(self, opened: socket.socket) -> None:
        with contextlib.suppress(OSError):
            talking = self._context.wrap_socket(opened, server_side=True) if self._context else opened
            with talking:
                while who := _asker(talking):
                    self._say(talking, self._frame(who))

    def _say(self, talking: socket.socket, said: Said) -> None:
        talking.sendall(said.now)
        self._may_go_on.acquire()
        with contextlib.suppress(OSError):  # the client may have hung up
            talking.sendall(said.later)
        self._went_on.release()


def _asker(talking: socket.socket) -> str:
    """Who asks, of one whole request; nothing at the connection's end."""
    request, head, body = b"", b"", b""
    while not head or len(body) < int(re.findall(rb"Content-Length: (\d+)", head)[0]):
        if not (part := talking.recv(65536)):
            return ""
        request += part
        head, _, body = request.partition(b"\r\n\r\n") if b"\r\n\r\n" in request else (b"", b"", b"")
    return found[1].decode() if (found := re.search(rb"it is (\w+)", body)) else "somebody"


def events(words: str) -> bytes:
    spoken = {"choices": [{"index": 0, "delta": {"content": words}, "finish_reason": "stop"}]}
    return f"data: {json.dumps(spoken)}\n\ndata: [DONE]\n\n".encode()


def own(who: str) -> bytes:
    return events(f"for {who}")


def stale(who: str) -> bytes:
    return sized(events(f"stale, for {who}"))


def sized(body: bytes, *fields: bytes, length: int | None = None, begins: bytes = b"HTTP/1.1 200 OK") -> bytes:
    told = b"Content-Length: %d" % (len(body) if length is None else length)
    return b"\r\n".join([begins, b"Content-Type: text/event-stream", told, *fields, b"", b""]) + body


def chunked(body: bytes, ending: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n" % (len(body), body) + ending


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
HOSTILE = {
    "a second answer at once": lambda who: Said(sized(own(who)) + stale(who)),
    "a second answer at once, chunked": lambda who: Said(chunked(own(who)) + stale(who)),
    "a second answer afterwards": lambda who: Said(sized(own(who)), stale(who)),
    "half of a second answer": lambda who: Said(chunked(own(who)) + stale(who)[:-9], stale(who)[-9:]),
    "an interim head, and the second answer later": lambda who: Said(sized(own(who)) + INTERIM, stale(who)),
    "an interim head afterwards": lambda who: Said(sized(own(who)), INTERIM),
    "a line end afterwards": lambda who: Said(sized(own(who)), b"\r\n"),
    "longer than it said": lambda who: Said(sized(own(who) + stale(who), length=len(own(who)))),
    "a body of ten bytes": lambda who: Said(sized(own(who), length=10) + stale(who)),
    "a body without an end": lambda who: Said(chunked(own(who), b""), b"0\r\n\r\n" + stale(who)),
    "a body whose end comes with more": lambda who: Said(chunked(own(who), b""), b"5\r\nhello\r\n0\r\n\r\n"),
    "no length, and no end": lambda who: Said(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + own(who)),
    "says it closes": lambda who: Said(sized(own(who), b"Connection: close"), stale(who)),
    "says both": lambda who: Said(sized(own(who), b"Connection: keep-alive, close"), stale(who)),
    "an old HTTP": lambda who: Said(sized(own(who), begins=b"HTTP/1.0 200 OK"), stale(who)),
    "no content, with some": lambda who: Said(sized(own(who), begins=b"HTTP/1.1 204 No Content"), stale(who)),
    "not modified, with some": lambda who: Said(sized(own(who), begins=b"HTTP/1.1 304 Not Modified"), stale(who)),
    "a refusal, and the answer": lambda who: Said(sized(b"{}", begins=b"HTTP/1.1 400 No") + stale(who), stale(who)),
    "two lengths": lambda who: Said(sized(own(who), b"Content-Length: 7") + stale(who)),
    "a length and chunks": lambda who: Said(sized(b"0\r\n\r\n" + own(who), b"Transfer-Encoding: chunked") + stale(who)),
    "an upgrade": lambda who: Said(sized(own(who), b"Upgrade: h2c", b"Connection: upgrade") + stale(who)),
}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "END_SECONDS", 0.05)


@pytest.fixture
def provider_of() -> Iterator[Callable[..., Provider]]:
    made: list[Provider] = []

    def make(frame: Callable[[str], Said], context: ssl.SSLContext | None = None) -> Provider:
        made.append(Provider(frame, context))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def ask(provider: Provider, who: str) -> str:
    """The words that `who` is told, until the answer's end or a failure."""
    stream = ChatStream(provider.endpoint, {"messages": [{"role": "user", "content": f"it is {who}"}]}, who)
    heard: list[Event] = []
    with contextlib.suppress(UpstreamError):
        stream.open()
        stream.deliver(heard.extend)
    return "".join(event.text for event in heard if isinstance(event, Token))


def heard_by_all(provider: Provider) -> list[str]:
    heard = []
    for who in PEOPLE:
        heard.append(ask(provider, who))
        provider.go_on()
    return heard


def test_a_provider_that_behaves_is_asked_on_one_connection(provider_of: Callable[..., Provider]) -> None:
    provider = provider_of(lambda who: Said(chunked(own(who))))
    assert heard_by_all(provider) == [f"for {who}" for who in PEOPLE]
    assert provider.connections == 1, "otherwise nothing could ever cross, and the other tests would prove nothing"


@pytest.mark.security("crossed-replies")
@pytest.mark.parametrize("how", HOSTILE)
def test_nothing_is_carried_over_to_the_next(provider_of: Callable[..., Provider], how: str) -> None:
    provider = provider_of(HOSTILE[how])
    for who, heard in zip(PEOPLE, heard_by_all(provider), strict=True):
        assert heard in ("", f"for {who}"), how
    assert provider.connections == len(PEOPLE)


@pytest.mark.parametrize("together", [True, False])
def test_nothing_is_carried_over_inside_tls(
    provider_of: Callable[..., Provider], monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    server, ours = certificates.contexts("localhost")
    monkeypatch.setattr(connection, "_tls", lambda: ours)
    frames = {
        True: lambda who: Said(chunked(own(who)) + stale(who)),
        False: lambda who: Said(chunked(own(who)), stale(who)),
    }
    provider = provider_of(frames[together], server)
    assert heard_by_all(provider) == [f"for {who}" for who in PEOPLE]
    assert provider.connections == len(PEOPLE)


class GivenUp(Exception):
    """Whoever listened does so no longer."""


def give_up(events: list[Event]) -> None:
    raise GivenUp


def test_an_answer_that_was_given_up_is_not_heard_by_the_next(provider_of: Callable[..., Provider]) -> None:
    provider = provider_of(lambda who: Said(chunked(own(who), b""), chunked(own(who))))
    stream = ChatStream(provider.endpoint, {"messages": [{"role": "user", "content": "it is ann"}]}, "ann")
    stream.open()
    with pytest.raises(GivenUp):
        stream.deliver(give_up)
    provider.go_on()
    assert ask(provider, "bob") == "for bob"
    provider.go_on()
    assert provider.connections == 2


def test_a_list_that_more_follows_says_nothing_to_the_next(provider_of: Callable[..., Provider]) -> None:
    provider = provider_of(lambda who: Said(sized(b'{"data":[]}'), stale(who)))
    for _ in range(3):
        assert fetch(provider.endpoint, "/models") == b'{"data":[]}'
        provider.go_on()
    assert provider.connections == 3
