"""Searching the web: DeepSeek's `POST /v1/tools/search`, and a SearXNG's `GET /search`.

Facts of the first: a query of 1 to 128 characters, `count` from 1 to 50, `ori_question` is what a person asked; of a
result the `summary` is the longest text but for the whole page. Of the second: `format=json` must be allowed there.
"""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from flask_app.domain.web_sources import MOST_SOURCES, Page
from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines
from flask_app.upstream.client import Endpoint, send_request
from flask_app.upstream.connection import Connection
from flask_app.upstream.deadlines import Limits
from flask_app.upstream.response import BrokenResponse

MAX_REPLY_BYTES = 2 << 20
MOST_ASKED = MOST_SOURCES + 4  # some lead nowhere, or to the same place
MOST_QUESTION = 2000  # characters
MOST_READ = 100  # results of a reply


class SearchCall:
    """One search, made once by `pages`. `shutdown` may be called from another thread at any time.

    `asked`: may the engine have got any of the request? `status` is what it said, where it said anything.
    """

    def __init__(self, endpoint: Endpoint, query: str, question: str, request_id: str) -> None:
        self._endpoint, self._request_id = endpoint, request_id
        self._query, self._question = query, question
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._is_shut = False
        self.expired = False
        self.begun = False
        self.bytes_received = 0
        self.status: int | None = None

    @property
    def asked(self) -> bool:
        return self._connection is not None and self._connection.is_used

    def pages(self, seconds: float) -> list[Page]:
        """What was found, the best first; all of it within so many seconds. Raises UpstreamError.

        One that is not `retryable` is no key's fault; what failed after a 200 may be billed all the same.
        """
        deadlines.watch(self, Limits(first_token=seconds, idle=seconds, total=seconds))
        try:
            connection = self._sent()
            self.status = connection.response.status
            return self._read(self._whole(connection))
        except UpstreamError as error:
            self.status = error.upstream_status or self.status
            if self.expired and error.upstream_status is None:
                raise UpstreamError("upstream_timeout", retryable=self.status is None) from error
            raise
        except (BrokenResponse, OSError) as error:
            raise UpstreamError("upstream_timeout" if self.expired else "upstream_cut") from error
        finally:
            deadlines.forget(self)
            with self._lock:
                if self._connection is not None:
                    self._connection.close()

    def shutdown(self) -> None:
        """End it: whoever waits in `pages` is woken."""
        with self._lock:
            self._is_shut = True
            if self._connection is not None:
                self._connection.shutdown()

    def expire(self) -> None:
        self.expired = True
        self.shutdown()

    def _sent(self) -> Connection:
        """With the head of a 200."""
        raise NotImplementedError

    def _read(self, body: bytes) -> list[Page]:
        raise NotImplementedError

    def _hold(self, connection: Connection) -> None:
        with self._lock:
            self._connection = connection
            if self._is_shut:
                connection.shutdown()

    def _whole(self, connection: Connection) -> bytes:
        received = bytearray()
        while part := connection.read():
            received += part
            self.bytes_received = len(received)
            if len(received) > MAX_REPLY_BYTES:
                raise UpstreamError("upstream_garbage")
        return bytes(received)


class DeepSeekSearch(SearchCall):
    """`endpoint` is that of the chats: the search stands beside their /v1."""

    def _sent(self) -> Connection:
        body = {"query": self._query, "count": MOST_ASKED, "ori_question": self._question[:MOST_QUESTION]}
        endpoint = Endpoint(root(self._endpoint.base_url), self._endpoint.secret, self._endpoint.allow_insecure)
        sent = msgspec.json.encode(body)
        return send_request("POST", endpoint, "/v1/tools/search", sent, self._request_id, hold=self._hold)

    def _read(self, body: bytes) -> list[Page]:
        return [
            Page(
                title=text_of(found, "title"),
                url=text_of(found, "url"),
                site=text_of(found, "site_name"),
                published=text_of(found, "date"),
                text=text_of(found, "summary") or text_of(found, "snippet") or text_of(found, "content"),
            )
            for found in _results(body)
        ]


class SearxngSearch(SearchCall):
    """One without a key. Where its settings allow no JSON it forbids the search."""

    def _sent(self) -> Connection:
        path = f"/search?{urlencode({'q': self._query, 'format': 'json'})}"
        try:
            return send_request("GET", self._endpoint, path, request_id=self._request_id, hold=self._hold)
        except UpstreamError as error:
            if error.upstream_status != HTTPStatus.FORBIDDEN:
                raise
            raise UpstreamError("searxng_no_json", status=error.upstream_status) from error

    def _read(self, body: bytes) -> list[Page]:
        return [
            Page(
                title=text_of(found, "title"),
                url=text_of(found, "url"),
                published=text_of(found, "publishedDate").partition("T")[0],
                text=text_of(found, "content"),
            )
            for found in _results(body)
        ]


CALLS: dict[str, Callable[[Endpoint, str, str, str], SearchCall]] = {
    "deepseek": DeepSeekSearch,
    "searxng": SearxngSearch,
}


class _Reply(msgspec.Struct):
    results: list[Any]


def _results(body: bytes) -> list[dict[str, Any]]:
    """The first of them, as far as they are results. Raises UpstreamError for what is no reply of a search."""
    try:
        found = msgspec.json.decode(body, type=_Reply).results
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _read_leniently(body)
    results = [each for each in found[:MOST_READ] if isinstance(each, dict)]
    if found and not results:
        raise UpstreamError("upstream_garbage")
    return results


def _read_leniently(body: bytes) -> list[Any]:
    """Engines quote what others wrote: one that cuts it in the middle of a character, or ranks a page as NaN, writes
    what is no JSON in the strict sense. It has been paid for, and the pages beside it are whole.
    """
    try:
        return msgspec.convert(json.loads(body.decode("utf-8-sig", errors="replace")), type=_Reply).results
    except (ValueError, RecursionError) as error:  # msgspec's own is a ValueError
        raise UpstreamError("upstream_garbage") from error


def text_of(found: dict[str, Any], name: str) -> str:
    """What is no text is as good as absent."""
    value = found.get(name)
    return value if isinstance(value, str) else ""


def root(base_url: str) -> str:
    """A provider's address without the version that some of them have in it."""
    return base_url.rstrip("/").removesuffix("/v1")
