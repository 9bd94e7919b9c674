"""Opening an address of the web: DeepSeek's `POST /v1/tools/fetch`, which gives a page as Markdown.

How its reply looks is not documented: the page's words are taken from wherever such replies have them, or are the
reply itself. We never open the address ourselves.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from flask_app.domain.web_sources import Page
from flask_app.errors import UpstreamError
from flask_app.upstream.client import Endpoint, send_request
from flask_app.upstream.connection import Connection
from flask_app.upstream.web_search import SearchCall, root, text_of

_TEXTS = ("markdown", "content", "text", "summary")
_WITHIN = ("data", "result", "results", "page", "document", "output")
_DEPTH = 3  # of what is within what
_LINES = 5  # in which a page's heading is looked for


class DeepSeekFetch(SearchCall):
    """`endpoint` is that of the chats: what opens pages stands beside their /v1. Gives one page, or none."""

    def __init__(self, endpoint: Endpoint, url: str, request_id: str) -> None:
        super().__init__(endpoint, url, "", request_id)

    def _sent(self) -> Connection:
        endpoint = Endpoint(root(self._endpoint.base_url), self._endpoint.secret, self._endpoint.allow_insecure)
        sent = msgspec.json.encode({"url": self._query})
        return send_request("POST", endpoint, "/v1/tools/fetch", sent, self._request_id, hold=self._hold)

    def _read(self, body: bytes) -> list[Page]:
        told = body.decode("utf-8-sig", errors="replace")
        try:
            reply = json.loads(told)
        except RecursionError as error:
            raise UpstreamError("upstream_garbage") from error
        except ValueError:
            reply = _plain(told)
        for part in [{"text": reply}] if isinstance(reply, str) else _parts(reply, _DEPTH):
            if found := _page(part):
                return [found]
        raise UpstreamError("upstream_garbage")


def _plain(told: str) -> str:
    """Markdown itself. Raises UpstreamError for what was to be JSON, or is a page of HTML."""
    if not told.strip() or told.lstrip()[0] in "{<":
        raise UpstreamError("upstream_garbage")
    return told


def _parts(reply: Any, depth: int) -> Iterator[dict[str, Any]]:
    """What may have the page's words: the reply, and what is within it."""
    if isinstance(reply, list):
        reply = reply[0] if reply else None
    if not isinstance(reply, dict):
        return
    yield reply
    for name in _WITHIN if depth else ():
        yield from _parts(reply.get(name), depth - 1)


def _page(told: dict[str, Any]) -> Page | None:
    texts = [told[name] for name in _TEXTS if isinstance(told.get(name), str)]
    if not texts:
        return None
    text = next((each for each in texts if each.strip()), "")
    return Page(
        title=text_of(told, "title") or _heading(text),
        url=text_of(told, "url"),
        site=text_of(told, "site_name"),
        published=text_of(told, "date"),
        text=text,
    )


def _heading(text: str) -> str:
    """The first that a page begins with; empty where it begins otherwise."""
    lines = text[:2000].lstrip().splitlines()[:_LINES]
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), "")
