"""Handing a few bytes to an address that an administrator gave: one POST, guarded as requests to providers are."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask_app import config
from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines
from flask_app.upstream.connection import Connection, Origin
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.response import BrokenResponse

WHOLE_SECONDS = 30  # from the connection to the status


def post(url: str, headers: Mapping[str, str], body: bytes, *, allow_insecure: bool) -> int:
    """The status of the reply, of which nothing else is read; redirects are not followed. Raises UpstreamError.

    `allow_insecure`: the host may be one of this machine or network.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    exchange = _Exchange(Connection(Origin.of(parts, allow_insecure=allow_insecure)))
    deadlines.watch(exchange, Limits(first_token=WHOLE_SECONDS, idle=WHOLE_SECONDS, total=WHOLE_SECONDS))
    try:
        return exchange.status_of(target, headers, body)
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

    def status_of(self, target: str, headers: Mapping[str, str], body: bytes) -> int:
        self.connection.connect(config.current().upstream_connect_seconds)
        self.connection.send("POST", target, headers, body)
        self.connection.read_head(None)
        return self.connection.response.status

    def expire(self) -> None:
        self.expired = True
        self.connection.shutdown()
