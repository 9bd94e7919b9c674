"""Requests to a server of tools, one after the other: what is sent and read of MCP's Streamable HTTP.

Where the server leads is told by an administrator, as a provider's address is. Redirects are not followed, there is no
proxy, and a reply has an end: in bytes and in seconds.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from flask_app import config
from flask_app.domain.redaction import presentable
from flask_app.domain.sse import Decoder
from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines, refusals
from flask_app.upstream.client import Endpoint
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.response import BrokenResponse

MAX_REPLY_BYTES = 8 << 20
JSON, EVENTS = "application/json", "text/event-stream"
_REFUSALS = {401: "mcp_refused", 403: "mcp_refused", 404: "mcp_no_endpoint", 405: "mcp_no_endpoint"}
_NOT_ASKED = {"upstream_address_private": "mcp_address_private", "upstream_unreachable": "mcp_unknown_host"}


class Refused(UpstreamError):
    """The server said something else than a 200: `body` is what it said, where that is JSON."""

    def __init__(self, status: int, body: bytes, secret: str) -> None:
        code = "mcp_redirects" if 300 <= status < 400 else _REFUSALS.get(status, "mcp_failed")
        detail = presentable(body[:1000].decode(errors="replace"), secret)
        super().__init__(code, status=status, detail=f"{status} {detail}".strip())
        self.params = {"status": status}
        self.body = body


class Line:
    """One conversation with a server. `shutdown` may be called from another thread at any time.

    All of it takes so many `seconds` at most. What fails is raised as UpstreamError.
    """

    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        self.endpoint = endpoint
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: list[Connection] = []
        self.is_shut = False
        self.begun = False
        self.expired = False
        self.bytes_received = 0

    def __enter__(self) -> "Line":
        self.hurry(self._seconds)
        return self

    def hurry(self, seconds: float) -> None:
        """From now on it takes so many at most."""
        deadlines.watch(self, Limits(first_token=seconds, idle=seconds, total=seconds))

    def __exit__(self, *_: object) -> None:
        deadlines.forget(self)
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def shutdown(self) -> None:
        """End it: whoever waits is woken."""
        with self._lock:
            self.is_shut = True
            for connection in self._open:
                connection.shutdown()

    def expire(self) -> None:
        self.expired = True
        self.shutdown()

    @contextmanager
    def sent(self, method: str, headers: Mapping[str, str], body: bytes = b"") -> Iterator[Connection]:
        """A request, and the head of its reply of whatever status; the connection is closed afterwards."""
        url = urlsplit(self.endpoint.base_url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection = Connection(Origin.of(url, allow_insecure=self.endpoint.allow_insecure))
        self._hold(connection)
        try:
            with self._told(begun=False):
                connection.connect(config.current().upstream_connect_seconds)
                connection.send(method, target, {**self._usual(), **headers}, body)
                connection.read_head(None)
            with self._told(begun=True):
                yield connection
        finally:
            with self._lock:
                self._open.remove(connection)
            connection.close()

    def documents(self, connection: Connection) -> Iterator[bytes]:
        """The JSON of the reply: one, or as many as its stream of events has. Raises Refused, UpstreamError."""
        response = connection.response
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if response.status != 200:
            body = refusals.read_body(lambda: connection.read_within(refusals.BODY_SECONDS))
            raise Refused(response.status, body, self.endpoint.secret)
        if kind not in {JSON, EVENTS} or response.headers.get("content-encoding", "identity") != "identity":
            raise UpstreamError("mcp_garbage", detail=presentable(kind, self.endpoint.secret) or None)
        yield from self._events(connection) if kind == EVENTS else (b"".join(self._parts(connection)),)

    def _events(self, connection: Connection) -> Iterator[bytes]:
        decoder = Decoder(MAX_REPLY_BYTES)
        for part in self._parts(connection):
            yield from decoder.feed(part)
            if decoder.fault:
                raise UpstreamError("mcp_too_large")
        yield from decoder.close()

    def _parts(self, connection: Connection) -> Iterator[bytes]:
        received = 0
        while part := connection.read():
            received += len(part)
            self.bytes_received += len(part)
            if received > MAX_REPLY_BYTES:
                raise UpstreamError("mcp_too_large")
            yield part

    def _hold(self, connection: Connection) -> None:
        with self._lock:
            self._open.append(connection)
            if self.is_shut:
                connection.shutdown()

    @contextmanager
    def _told(self, *, begun: bool) -> Iterator[None]:
        try:
            yield
        except UpstreamError as error:
            if error.code.startswith("mcp_"):
                raise
            code = _NOT_ASKED.get(error.code, "mcp_unreachable")
            raise UpstreamError("mcp_timeout" if self.expired else code) from error
        except (BrokenResponse, OSError, ValueError) as error:
            code = "mcp_cut" if begun else "mcp_unreachable"
            detail = presentable(str(error), self.endpoint.secret) or None
            raise UpstreamError("mcp_timeout" if self.expired else code, detail=detail) from error

    def _usual(self) -> dict[str, str]:
        headers = {
            "Content-Type": JSON,
            "Accept": f"{JSON}, {EVENTS}",
            "Accept-Encoding": "identity",  # nothing to unpack: a small reply cannot grow into a large one
            "User-Agent": "MingChat",
        }
        return headers | ({"Authorization": f"Bearer {self.endpoint.secret}"} if self.endpoint.secret else {})
