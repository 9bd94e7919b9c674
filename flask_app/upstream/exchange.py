"""One short exchange with an identity provider, read whole: guarded as requests to models' providers are."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask_app import config
from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.response import BrokenResponse

WHOLE_SECONDS = 20  # from the connection to the end of the reply
MAX_REPLY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


def ask(method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, allow_insecure: bool) -> Answer:
    """The whole reply of at most a megabyte; redirects are not followed. Raises UpstreamError.

    `allow_insecure`: the host may be one of this machine or network.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    exchange = _Exchange(Connection(Origin.of(parts, allow_insecure=allow_insecure)))
    deadlines.watch(exchange, Limits(first_token=WHOLE_SECONDS, idle=WHOLE_SECONDS, total=WHOLE_SECONDS))
    try:
        return exchange.answer_to(method, target, {"Accept-Encoding": "identity", **headers}, body)
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

    def answer_to(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.connection.connect(config.current().upstream_connect_seconds)
        self.connection.send(method, target, headers, body)
        self.connection.read_head(None)
        received = bytearray()
        while part := self.connection.read():
            received += part
            self.bytes_received = len(received)
            if len(received) > MAX_REPLY_BYTES:
                raise UpstreamError("upstream_garbage")
        return Answer(self.connection.response.status, bytes(received))

    def expire(self) -> None:
        self.expired = True
        self.connection.shutdown()
