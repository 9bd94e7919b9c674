"""Speaking to a provider over HTTP: open a chat completion, list the models. Redirects are not followed."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import structlog
import urllib3
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util import Retry, Timeout

from flask_app.domain.events import Event, Failed, Reasoning, Token
from flask_app.domain.sse import Decoder, Named, StreamTooLarge
from flask_app.errors import UpstreamError
from flask_app.upstream import refusals
from flask_app.upstream.chunks import ChunkReader, UnreadableChunk

CONNECT_SECONDS = 10
LIST_SECONDS = 15  # between two pieces of a short reply
IDLE_SECONDS = 120  # silence, keep-alive comments included
FIRST_TOKEN_SECONDS = 600  # DeepSeek closes what has not begun after ten minutes
TOTAL_SECONDS = 3600
END_SECONDS = 0.5  # from `[DONE]` to the end of the body: the answer does not wait for a connection's sake
READ_BYTES = 1 << 16
MAX_STREAM_BYTES = 64 << 20
MAX_REPLY_BYTES = 4 << 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is and what opens it. `base_url` is whole: the call's path is appended."""

    base_url: str
    secret: str

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r})"


class ChatStream:
    """An answer that is arriving. Iterate it once; `shutdown` may be called from another thread."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        self._opened = time.monotonic()
        self.bytes_received = 0
        self.begun = False

    def __iter__(self) -> Iterator[list[Event]]:
        """The events of each read. Raises UpstreamError when the stream breaks, stalls or cannot be read."""
        decoder, reader = Decoder(), ChunkReader()
        read = self._response.read1
        try:
            while not reader.finished:
                data = read(READ_BYTES, decode_content=False)
                payloads = decoder.feed(data) if data else decoder.close()
                events = reader.read(payloads)
                if events:
                    self.begun = self.begun or any(isinstance(event, Token | Reasoning) for event in events)
                    yield events
                if _named_error(payloads):
                    yield [Failed("upstream_failed")]
                if not data:
                    return
                self.bytes_received += len(data)
                self._check_limits()
        except (UnreadableChunk, StreamTooLarge) as error:
            raise UpstreamError("upstream_garbage", retryable=True) from error
        except ReadTimeoutError as error:
            raise UpstreamError("upstream_timeout", retryable=True) from error
        except (HTTPError, OSError, ValueError) as error:
            raise UpstreamError("upstream_cut", retryable=True) from error
        finally:
            self.close(reusable=reader.finished)

    def shutdown(self) -> None:
        """Wake a blocked read and end the stream."""
        # Already ended and given back: nothing is left to wake.
        with contextlib.suppress(ValueError, RuntimeError, OSError):
            self._response.shutdown()

    def close(self, *, reusable: bool = False) -> None:
        """Give the connection back to the pool when the answer ended well, else close it."""
        if reusable and self._drained():
            self._response.release_conn()
        else:
            self._response.close()

    def _drained(self) -> bool:
        """Read the end of the body, which follows `[DONE]` at once, so that the connection can serve again."""
        try:
            if (socket := getattr(self._response.connection, "sock", None)) is not None:
                socket.settimeout(END_SECONDS)
            return not self._response.read1(READ_BYTES, decode_content=False)
        except (HTTPError, OSError):
            return False

    def _check_limits(self) -> None:
        elapsed = time.monotonic() - self._opened
        if elapsed > TOTAL_SECONDS or (not self.begun and elapsed > FIRST_TOKEN_SECONDS):
            raise UpstreamError("upstream_timeout", retryable=True)
        if self.bytes_received > MAX_STREAM_BYTES:
            raise UpstreamError("upstream_garbage")


def open_chat(endpoint: Endpoint, body: dict[str, Any]) -> ChatStream:
    """Ask for a streamed chat completion; raises UpstreamError when the provider refuses or is not there."""
    response = _request("POST", endpoint, "/chat/completions", msgspec.json.encode(body))
    if response.headers.get("Content-Type", "").split(";")[0].strip() != "text/event-stream":
        response.close()
        raise UpstreamError("upstream_garbage", retryable=True)
    return ChatStream(response)


def list_models(base_url: str, secret: str) -> list[str]:
    """The names of the models a provider offers to this key; raises UpstreamError."""
    patience = Timeout(connect=CONNECT_SECONDS, read=LIST_SECONDS)
    response = _request("GET", Endpoint(base_url, secret), "/models", timeout=patience)
    try:
        raw = response.read(MAX_REPLY_BYTES, decode_content=False)
        return [model.id for model in msgspec.json.decode(raw, type=_ModelList).data]
    except (HTTPError, OSError) as error:
        raise UpstreamError("upstream_cut", retryable=True) from error
    except msgspec.DecodeError as error:
        raise UpstreamError("upstream_garbage") from error
    finally:
        response.close()


class _Model(msgspec.Struct):
    id: str


class _ModelList(msgspec.Struct):
    data: list[_Model]


def _request(
    method: str, endpoint: Endpoint, path: str, body: bytes | None = None, **options: Any
) -> urllib3.BaseHTTPResponse:
    headers = {
        "Authorization": f"Bearer {endpoint.secret}",
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",  # nothing to unpack: a small reply cannot grow into a large one
        "User-Agent": "MingChat",
    }
    try:
        response = _pool().request(
            method,
            endpoint.base_url + path,
            body=body,
            headers=headers,
            preload_content=False,
            redirect=False,
            **options,
        )
    except ReadTimeoutError as error:
        raise UpstreamError("upstream_timeout", retryable=True) from error
    except (HTTPError, UnicodeError) as error:
        raise UpstreamError("upstream_unreachable", retryable=True) from error
    if response.status != 200 or response.headers.get("Content-Encoding", "identity") != "identity":
        raise _refusal(response, endpoint.secret)
    return response


def _refusal(response: urllib3.BaseHTTPResponse, secret: str) -> UpstreamError:
    body = b""
    try:
        if (socket := getattr(response.connection, "sock", None)) is not None:
            socket.settimeout(refusals.BODY_SECONDS)
        body = refusals.read_body(lambda: response.read1(READ_BYTES, decode_content=False))
    except (HTTPError, OSError, ValueError) as error:  # the status says enough
        log.info("refusal_not_read", status=response.status, reason=type(error).__name__)
    finally:
        response.close()
    return refusals.refusal(response.status, response.headers, body, secret)


def _named_error(payloads: list[bytes]) -> bool:
    return any(isinstance(payload, Named) and payload.event == b"error" for payload in payloads)


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(
        num_pools=16,
        maxsize=256,
        retries=Retry(total=False),
        timeout=Timeout(connect=CONNECT_SECONDS, read=IDLE_SECONDS),
    )
