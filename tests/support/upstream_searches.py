"""The pages of the web that a scripted engine finds: DeepSeek's reply, or a SearXNG's, whichever is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.upstream_answers import Gate
from tests.support.upstream_faults import error_object
from tests.support.upstream_journal import SEARCH, Received, Usage
from tests.support.upstream_reply import Reply

SEARXNG = "/search"
MOST_QUERY, MOST_COUNT = 128, 50

PAGES = (
    {
        "title": "The lighthouse at Kap Arkona",
        "url": "https://example.org/arkona",
        "summary": "It was built in 1827 and is 19 metres high.",
        "site_name": "Example",
        "date": "2026-10-03",
    },
    {
        "title": "A list of lighthouses",
        "url": "https://example.net/list",
        "summary": "Most of them are on a coast.",
        "site_name": "",
        "date": "",
    },
)


@dataclass(frozen=True, slots=True)
class Pages:
    """Finds these; `gate`, a Gate(0), holds the reply back until it is opened."""

    found: Sequence[dict[str, Any]] = PAGES
    gate: Gate | None = None

    def play(self, reply: Reply, request: Received) -> None:
        if request.path == SEARCH and (refusal := _refusal(request)):
            reply.json(422, error_object(refusal, "invalid_request_error"))
            return
        if self.gate:
            self.gate.wait(reply, 0)
        request.billed = request.usage_sent = Usage()
        found = [_as_searxng(page) for page in self.found] if request.path == SEARXNG else list(self.found)
        reply.json(200, {"query": request.body.get("query"), "results": found})


def _refusal(request: Received) -> str:
    body = request.body
    if not request.target.startswith("/v1/"):
        return "no such path"
    if not 1 <= len(str(body.get("query", ""))) <= MOST_QUERY:
        return "query: 1 to 128 characters"
    return "" if 1 <= body.get("count", 10) <= MOST_COUNT else "count: 1 to 50"


def _as_searxng(page: dict[str, Any]) -> dict[str, Any]:
    date = page.get("date")
    return {
        "title": page.get("title"),
        "url": page.get("url"),
        "content": page.get("summary"),
        "publishedDate": f"{date}T00:00:00" if date else None,
        "engine": "example",
    }
