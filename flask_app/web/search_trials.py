"""A search that an administrator tries, as JSON."""

from typing import Annotated, Literal

import msgspec

from flask_app.domain.web_sources import FAILED, FOUND
from flask_app.errors import AppError
from flask_app.services.web_search.trial import Trial
from flask_app.web.bodies import Body, Reply
from flask_app.web.failures import sentence
from flask_app.web.keys import Failure


class TrySearch(Body):
    """`query` is cut where it is longer than an engine takes (128 characters)."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class FoundReply(Reply):
    """A page that was found. `published` is in the engine's words, or empty."""

    title: str
    url: str
    site: str
    published: str


class TriedReply(Reply):
    """`status`: "found", "empty" where there is nothing, or "failed", with the `error`."""

    status: Literal["found", "empty", "failed"]
    latency_ms: int
    sources: list[FoundReply]
    error: Failure | None


def tried_reply(trial: Trial) -> TriedReply:
    search, names = trial.search, ("title", "url", "site", "published")
    code = search.error_code or "internal"
    return TriedReply(
        status="found" if search.status == FOUND else "failed" if search.status == FAILED else "empty",
        latency_ms=trial.latency_ms,
        sources=[FoundReply(**{name: getattr(each, name) for name in names}) for each in search.sources],
        error=Failure(code=code, message=sentence(AppError(code))) if search.status == FAILED else None,
    )
