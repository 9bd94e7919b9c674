"""Nothing packed is asked for, by any way out, and what comes packed all the same stays as small as it came."""

import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from flask import Flask

from flask_app.errors import UpstreamError
from flask_app.services.sign_in import oidc_provider
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.upstream import webhook
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.short_replies import fetch, list_models
from tests.support.chat_streams import BODY

UNPACKED = 200 << 20
MOST_HELD = 2 << 20  # of Python's memory, while it is read

Ask = Callable[[str], object]


def chat(url: str) -> None:
    stream = ChatStream(Endpoint(url, "sk-a", allow_insecure=True), BODY, "r")
    stream.open()
    stream.deliver(lambda _: None)


# Every way out, and what becomes of a reply that is packed: the status of a webhook is all that is read.
WAYS: dict[str, tuple[Ask, str | None]] = {
    "chat": (chat, "upstream_garbage"),
    "models": (lambda url: list_models(Endpoint(url, "sk-a", allow_insecure=True)), "upstream_garbage"),
    "balance": (lambda url: fetch(Endpoint(url, "sk-a", allow_insecure=True), "/user/balance"), "upstream_garbage"),
    "webhook": (lambda url: webhook.post(url, {}, b"{}", allow_insecure=True), None),
    "identity provider": (
        lambda url: oidc_provider.document(oidc_provider.call("GET", url, {})),
        "identity_provider_garbage",
    ),
}


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """As little as gzip makes of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = b" " * (1 << 20)
    packed = b"".join([*(packer.compress(block) for _ in range(UNPACKED >> 20)), packer.flush()])
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    unpacked, rest = 0, packed
    while rest:
        unpacked += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail
    assert unpacked == UNPACKED > 500 * len(packed)
    return packed


@pytest.fixture
def asked(bomb: bytes) -> Iterator[tuple[str, list[Message]]]:
    """An address that answers everything with it, and the headers of what it was asked."""
    heads: list[Message] = []

    class Exchange(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heads.append(self.headers)
            self.send_response(200)
            told = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip", "Content-Length": str(len(bomb))}
            for name, value in told.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # it may be left at once
                self.wfile.write(bomb)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    serving.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", heads
    server.shutdown()
    server.server_close()
    serving.join()


@pytest.mark.security("unpacking")
@pytest.mark.parametrize("way", WAYS)
def test_what_comes_packed_is_held_as_it_came(app: Flask, asked: tuple[str, list[Message]], way: str) -> None:
    (act, failure), (url, heads) = WAYS[way], asked
    found = None
    tracemalloc.start()
    try:
        act(url)
    except (UpstreamError, IdentityProviderError) as error:
        found = error.code
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert [head.get_all("Accept-Encoding") for head in heads] == [["identity"]]
    assert found == failure
    assert most < MOST_HELD
