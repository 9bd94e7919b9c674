"""One short exchange with an address that an administrator gave: guarded as requests to models' providers are."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask_app import config
from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.response import BrokenResponse

WHOLE_SECONDS = 20  # from the connection to the end of what is read of the reply
MAX_REPLY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is empty where it was not read."""

    status: int
    body: bytes


def ask(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    allow_insecure: bool,
    seconds: float,
    is_read: bool = True,
) -> Answer:
    """The reply, with its body of at most a megabyte if that `is_read`; redirects are not followed.

    `allow_insecure`: the host may be one of this machine or network. All of it takes so many `seconds` at most.
    Raises UpstreamError.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    exchange = _Exchange(Connection(Origin.of(parts, allow_insecure=allow_insecure)))
    deadlines.watch(exchange, Limits(first_token=seconds, idle=seconds, total=seconds))
    try:
        status = exchange.status_of(method, target, {"Accept-Encoding": "identity", **headers}, body)
        return Answer(status, exchange.rest() if is_read else b"")
    except (BrokenResponse, OSError, ValueError) as error:
        code = "upstream_timeout" if exchange.expired or isinstance(error, TimeoutError) else "upstream_unreachable"
        raise UpstreamError(code, retryable=True, detail=str(error)) from error
    finally:
        deadlines.forget(exchange)
        exchange.connection.close()


class _Exchange:
    """One that takes too long is broken off."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.bytes_received = 0
        self.begun = False
        self.expired = False

    def status_of(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> int:
        self.connection.connect(config.current().upstream_connect_seconds)
        self.connection.send(method, target, headers, body)
        self.connection.read_head(None)
        return self.connection.response.status

    def rest(self) -> bytes:
        received = bytearray()
        while part := self.connection.read():
            received += part
            self.bytes_received = len(received)
            if len(received) > MAX_REPLY_BYTES:
                raise UpstreamError("upstream_garbage")
        return bytes(received)

    def expire(self) -> None:
        self.expired = True
        self.connection.shutdown()
