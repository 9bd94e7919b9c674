"""What was looked up on the web for a question, as JSON."""

from typing import Any

from flask_app.domain.web_sources import Search
from flask_app.web.bodies import Reply


class SourceReply(Reply):
    """A page that was found, counted from 1: what the model is told of it is `text`.

    `published` is in the engine's own words; empty where it says nothing. One that the question has a link to was
    `fetched`: opened, failed (see `fetch_error`) or stopped; empty of all others.
    """

    number: int
    title: str
    url: str
    site: str
    published: str
    text: str
    fetched: str
    fetch_error: str | None


class SearchReply(Reply):
    """`status`: running, found, empty, failed (see `error_code`) or stopped. `engine`: deepseek or searxng.

    Without a `query` links alone were opened.
    """

    status: str
    query: str
    engine: str
    error_code: str | None
    sources: list[SourceReply]


def search_reply(search: Search) -> SearchReply:
    return SearchReply(
        status=search.status,
        query=search.query,
        engine=search.engine,
        error_code=search.error_code,
        sources=[SourceReply(**_fields(each)) for each in search.sources],
    )


def _fields(source: Any) -> dict[str, Any]:
    return {name: getattr(source, name) for name in SourceReply.__struct_fields__}
