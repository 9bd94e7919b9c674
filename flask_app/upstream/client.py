"""Speaking to a provider over HTTP: send a request, open a chat completion. Redirects are not followed."""

import errno
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog

from flask_app import config
from flask_app.domain.events import Event, Failed, Finished, OfChoice, Words
from flask_app.domain.sse import Decoder, Named
from flask_app.errors import Unavailable, UpstreamError
from flask_app.upstream import deadlines, refusals
from flask_app.upstream.chunks import ChunkReader
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.idle import Idle
from flask_app.upstream.readers import ChoicesReader
from flask_app.upstream.response import BrokenResponse, Response
from flask_app.upstream.room import Room

END_SECONDS = 0.5  # from `[DONE]` to the end of the body: the answer does not wait for a connection's sake
MAX_STREAM_BYTES = 192 << 20  # what is kept of it has a Room: an answer of 384,000 tokens comes in 120 MB

NO_SUCH_CALL = (404, 405, 501)
OUT_OF_FILES = (errno.EMFILE, errno.ENFILE)  # this process, or the machine, may open no more

_BEGINNING = Words | OfChoice

Hold = Callable[[Connection], None]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is and what opens it. `base_url` is whole: the call's path is appended.

    `allow_insecure`: its host may be one of this machine or network.
    """

    base_url: str
    secret: str
    allow_insecure: bool = False

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


class ChatStream:
    """An answer that is asked for and arrives: `open` it once, then `deliver` it once.

    Those of other calls have another `path` and `content_type`; where the provider has no such call they fail with the
    code `lacking`.

    `shutdown` may be called from another thread at any time, also before `open` is through. With `prefix` the last
    message of the body is the beginning of the answer: DeepSeek takes that under /beta, which stands beside its /v1.
    The provider is told `request_id`, which no other request has: some refuse one that they know.
    """

    path, content_type = "/chat/completions", "text/event-stream"
    lacking: str | None = None

    def __init__(self, endpoint: Endpoint, body: dict[str, Any], request_id: str, *, prefix: bool = False) -> None:
        self._request_id = request_id
        self._endpoint = replace(endpoint, base_url=beta_of(endpoint.base_url)) if prefix else endpoint
        self._body = msgspec.json.encode(body)
        self._choices: int = body.get("n") or 1
        self._room = Room(body.get("max_tokens") or body.get("max_completion_tokens"), self._choices)
        self._connection: Connection | None = None
        self._lock = threading.Lock()  # a connection that was given back is no longer ours to shut
        self._read_each: Callable[[Callable[[bytes], bool]], None] = lambda _take: None
        self._is_shut = False
        self._expired = False
        self.bytes_received = 0
        self.asked = False  # may the provider have got any of the request?
        self.begun = False

    def open(self) -> None:
        """Ask for the answer; raises UpstreamError when the provider refuses, is not there or does not reply."""
        deadlines.watch(self, Limits.of(config.current()))
        try:
            connection = send_request("POST", self._endpoint, self.path, self._body, self._request_id, hold=self._hold)
            self._check_type(connection.response)
            self._read_each, self.asked = connection.read_each, True
        except UpstreamError as error:
            self.asked = self._connection is not None and self._connection.is_used
            self.close()
            if self._expired:
                raise self._timeout() from error
            if self.lacking and error.upstream_status in NO_SUCH_CALL:
                lacks = UpstreamError(self.lacking, retryable=True, status=error.upstream_status, detail=error.detail)
                raise lacks from error
            raise
        finally:
            self._body = b""  # it may be long, and the answer too

    def deliver(self, take: Callable[[list[Event]], None]) -> None:
        """Give `take` the events of each read. Raises UpstreamError when the stream breaks, stalls or cannot be read.

        One that becomes longer than was asked for is cut, and ends as `length`. `take` must not wait: it may be called
        on the event loop. What it raises ends the stream.
        """
        decoder, reader = Decoder(), self._reader()

        def read(data: bytes) -> bool:
            self.bytes_received += len(data)
            if decoder.is_between and (form := reader.form) and (word := form.read_event(data)):  # nearly all are such
                events: list[Event] = [word]
                take(events)
            else:
                events = self._read(decoder, reader, data, take)
                if reader.finished or not data:
                    return False
            if self._room.is_full_after(events) or self.bytes_received > MAX_STREAM_BYTES:
                self._check_begun()
                take([Finished("length")])
                return False
            return True

        try:
            self._receive(read)
        finally:
            self.close(reusable=reader.finished)

    def _read(
        self, decoder: Decoder, reader: ChunkReader, data: bytes, take: Callable[[list[Event]], None]
    ) -> list[Event]:
        """Give `take` the events of what came, or of the end, and return them; raises UpstreamError."""
        payloads = decoder.feed(data) if data else decoder.close()
        if events := reader.read(payloads):
            if not self.begun:
                self.begun = any(isinstance(event, _BEGINNING) for event in events)
            take(events)
        if decoder.has_named and _named_error(payloads):
            take([Failed("upstream_failed")])
        if fault := decoder.fault or reader.fault:
            # The event that a stream ended in may be a part of one.
            raise UpstreamError("upstream_garbage" if data else "upstream_cut", retryable=True) from fault
        return events

    def _reader(self) -> ChunkReader:
        return ChunkReader() if self._choices == 1 else ChoicesReader()

    def _receive(self, read: Callable[[bytes], bool]) -> None:
        """Give `read` the body piece by piece, and nothing at its end; raises UpstreamError where it breaks."""
        try:
            self._read_each(read)
        except BrokenResponse as error:
            raise self._timeout() if self._expired else UpstreamError("upstream_cut", retryable=True) from error

    def _check_begun(self) -> None:
        """Raises UpstreamError for a stream without end in which no answer began."""
        if self.bytes_received > MAX_STREAM_BYTES and not self.begun:
            raise UpstreamError("upstream_garbage")

    def shutdown(self) -> None:
        """Wake a blocked read and end the stream."""
        with self._lock:
            self._is_shut = True
            if self._connection is not None:
                self._connection.shutdown()

    def expire(self) -> None:
        """A deadline has passed: end with a time-out."""
        self._expired = True
        self.shutdown()

    def close(self, *, reusable: bool = False) -> None:
        """Keep the connection for the next request when the answer ended well, else close it."""
        deadlines.forget(self)
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is None:
            return
        if reusable and not self._is_shut and _is_drained(connection):
            _idle.give(connection)
        else:
            connection.close()

    def _hold(self, connection: Connection) -> None:
        with self._lock:
            self._connection = connection
            if self._is_shut:
                connection.shutdown()

    def _check_type(self, response: Response) -> None:
        if response.headers.get("content-type", "").split(";")[0].strip() != self.content_type:
            raise UpstreamError("upstream_garbage", retryable=True)

    def _timeout(self) -> UpstreamError:
        return UpstreamError("upstream_timeout", retryable=True)


def beta_of(base_url: str) -> str:
    """Where a provider keeps what it calls beta."""
    return base_url.rstrip("/").removesuffix("/v1") + "/beta"


def send_request(
    method: str, endpoint: Endpoint, path: str, body: bytes = b"", request_id: str = "", *, hold: Hold
) -> Connection:
    """Send a request and read the head of its response, which must be a 200; raises UpstreamError.

    `hold` gets the connection before anything is waited for: only its `shutdown` ends what lasts too long.
    """
    headers = {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",  # nothing to unpack: a small reply cannot grow into a large one
        "User-Agent": "MingChat",
    }
    if endpoint.secret:  # not every search engine has one
        headers["Authorization"] = f"Bearer {endpoint.secret}"
    if request_id:
        headers["X-Request-ID"] = request_id
    url = urlsplit(endpoint.base_url + path)
    target = f"{url.path}?{url.query}" if url.query else url.path
    connection = _connection(Origin.of(url, allow_insecure=endpoint.allow_insecure), hold)
    was_kept = bool(connection.idle_since)
    try:
        connection.send(method, target, headers, body)
        connection.read_head(None)
    except (BrokenResponse, OSError, ValueError) as error:
        connection.close()
        # One that was kept may have been closed just when it was used again: that says nothing of a new one.
        raise UpstreamError("upstream_cut" if was_kept else "upstream_unreachable", retryable=True) from error
    response = connection.response
    if response.status != 200 or response.headers.get("content-encoding", "identity") != "identity":
        raise _refusal(connection, endpoint.secret)
    return connection


def _connection(origin: Origin, hold: Callable[[Connection], None]) -> Connection:
    if idle := _idle.take(origin):
        hold(idle)
        return idle
    connection = Connection(origin)
    hold(connection)
    try:
        connection.connect(config.current().upstream_connect_seconds)
    except OSError as error:
        if error.errno in OUT_OF_FILES:  # nothing that the provider could help
            raise Unavailable("out_of_files") from error
        raise UpstreamError("upstream_unreachable", retryable=True) from error
    return connection


def _is_drained(connection: Connection) -> bool:
    """Has the body ended? It does at once after `[DONE]`, so that the connection can serve again."""
    try:
        if not connection.response.is_complete:
            connection.read_within(END_SECONDS)
    except (BrokenResponse, OSError):
        return False
    response = connection.response
    return response.is_complete and response.is_reusable and response.fault is None


def _refusal(connection: Connection, secret: str) -> UpstreamError:
    response, body = connection.response, b""
    try:
        body = refusals.read_body(lambda: connection.read_within(refusals.BODY_SECONDS))
    except (BrokenResponse, OSError) as error:  # the status says enough
        log.info("refusal_not_read", status=response.status, reason=type(error).__name__)
    finally:
        connection.close()
    return refusals.refusal(response.status, response.headers, body, secret)


def _named_error(payloads: list[bytes]) -> bool:
    for payload in payloads:  # noqa: SIM110 - a generator for each read costs more than the look
        if isinstance(payload, Named) and payload.event == b"error":
            return True
    return False


_idle = Idle()
