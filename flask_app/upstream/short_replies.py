"""Short replies of a provider, read whole: its list of models, what is left on an account."""

from datetime import datetime

import msgspec

from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines, refusals
from flask_app.upstream.client import Endpoint, send_request
from flask_app.upstream.connection import Connection
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.response import BrokenResponse

LIST_SECONDS, WHOLE_LIST_SECONDS = 15, 30  # of silence, and for a short reply from first to last
MAX_REPLY_BYTES = 4 << 20


def list_models(endpoint: Endpoint) -> list[str]:
    """The names of the models a provider offers to this key; raises UpstreamError."""
    return dated_models(endpoint)[0]


def dated_models(endpoint: Endpoint) -> tuple[list[str], datetime | None]:
    """The same, and what time it is there, where the provider tells."""
    body, moment = _fetch(endpoint, "/models")
    try:
        return [model.id for model in msgspec.json.decode(body, type=_ModelList).data], moment
    except msgspec.DecodeError as error:
        raise UpstreamError("upstream_garbage") from error


def fetch(endpoint: Endpoint, path: str) -> bytes:
    """The body of a short reply; raises UpstreamError."""
    return _fetch(endpoint, path)[0]


def _fetch(endpoint: Endpoint, path: str) -> tuple[bytes, datetime | None]:
    reply = _ShortReply()
    deadlines.watch(reply, Limits(first_token=WHOLE_LIST_SECONDS, idle=LIST_SECONDS, total=WHOLE_LIST_SECONDS))
    try:
        connection = send_request("GET", endpoint, path, hold=reply.hold)
        return reply.body_of(connection), refusals.http_date(connection.response.headers.get("date", ""))
    except UpstreamError as error:
        if reply.expired and error.upstream_status is None:
            raise UpstreamError("upstream_timeout", retryable=True) from error
        raise
    except (BrokenResponse, OSError) as error:
        raise UpstreamError("upstream_timeout" if reply.expired else "upstream_cut", retryable=True) from error
    finally:
        deadlines.forget(reply)
        reply.close()


class _ShortReply:
    """A reply of a few bytes, broken off where it takes too long: also one that never gets to its body."""

    def __init__(self) -> None:
        self.bytes_received = 0
        self.begun = False
        self.expired = False
        self._connection: Connection | None = None

    def hold(self, connection: Connection) -> None:
        self._connection = connection

    def body_of(self, connection: Connection) -> bytes:
        raw = bytearray()
        while part := connection.read():
            raw += part
            self.bytes_received = len(raw)
            if len(raw) > MAX_REPLY_BYTES:
                raise UpstreamError("upstream_garbage")
        return bytes(raw)

    def expire(self) -> None:
        self.expired = True
        if self._connection is not None:
            self._connection.shutdown()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _Model(msgspec.Struct):
    id: str


class _ModelList(msgspec.Struct):
    data: list[_Model]
