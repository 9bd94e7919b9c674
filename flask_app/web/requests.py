"""The log of programs' requests as JSON."""

from collections.abc import Container
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from flask_app.services.gateway import request_retention
from flask_app.services.gateway.request_search import Found, Page
from flask_app.services.gateway.word_log import Kept
from flask_app.web.bodies import Body, Reply
from flask_app.web.groups import GroupName
from flask_app.web.records import Person
from flask_app.web.usage import Choice

# What both lists are searched by.
FILTER = {
    "token": "An access token's id.",
    "model": "The model asked for.",
    "status": "2xx, 4xx or 5xx.",
    "error": "Such as model_not_found, or left (by its program).",
    "id": "A request's id.",
    "from": "The first day, such as 2026-11-25, in your time zone.",
    "to": "The last day.",
}


class RequestReply(Reply):
    """A request of a program. `call` is chat.completions, completions, responses, embeddings, messages,
    messages.count_tokens, models or other; `model` the name that was asked for, where the body could be read,
    `actual_model` what the provider says answered. `status` is that of the reply, 499 where its program left before
    one; `error_code` how it failed, also in the middle of a stream. `attempts` counts the requests to providers,
    `attempt_id` is the last of them, `record_id` the ledger's record. The times are counted from the moment it came;
    `bytes_sent` is the reply's body. `user` is for administrators, and absent in one's own. `has_words`: what it
    said is kept, for oneself; absent for administrators.
    """

    id: str
    created_at: datetime
    token_id: str
    token_name: str | None
    call: str
    model: str | None
    actual_model: str | None
    status: int
    error_code: str | None
    attempts: int
    first_token_ms: int | None
    duration_ms: int
    bytes_sent: int
    request_id: str
    attempt_id: str | None
    record_id: str | None
    address: str
    user: Person | msgspec.UnsetType = msgspec.UNSET
    has_words: bool | msgspec.UnsetType = msgspec.UNSET


class WordsReply(Reply):
    """What one's own program asked, as the body came, and what it was answered: each empty where there was none.

    `calls` are what the model wrote of calls of functions. `cut`: not all of it is kept. It is gone after `until`.
    """

    asked: str
    reasoning: str
    text: str
    calls: str
    cut: bool
    until: datetime


class RequestsReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    requests: list[RequestReply]
    next: str | None


class RequestsState(RequestsReply):
    """What the page begins with. `days` is for how many they are kept, `group_days` those of groups with others."""

    models: list[str]
    tokens: list[Choice]
    days: int
    groups: list[GroupName] = msgspec.field(default_factory=list)
    group_days: dict[str, int] = msgspec.field(default_factory=dict)


Days = Annotated[int, msgspec.Meta(ge=1, le=request_retention.MOST)]
GroupId = Annotated[str, msgspec.Meta(max_length=64)]


class Retention(Body):
    """For how many days they are kept. `groups` have others for their people, by the groups' ids; without
    it theirs stay. `confirmed`: what is too old already may go.
    """

    days: Days
    groups: Annotated[dict[GroupId, Days], msgspec.Meta(max_length=1000)] | UnsetType = UNSET
    confirmed: bool = False

    def wanted(self, kept: request_retention.Kept) -> request_retention.Kept:
        return request_retention.Kept(self.days, kept.groups if self.groups is UNSET else self.groups)


class RetentionReply(Reply):
    days: int
    groups: dict[str, int]


def retention_reply(kept: request_retention.Kept) -> RetentionReply:
    return RetentionReply(days=kept.days, groups=dict(kept.groups))


def own_requests_reply(page: Page, with_words: Container[str]) -> RequestsReply:
    replies = [_own(found) for found in page.requests]
    for reply in replies:
        reply.has_words = reply.id in with_words
    return RequestsReply(requests=replies, next=page.next)


def words_reply(kept: Kept) -> WordsReply:
    return WordsReply(until=kept.until, **msgspec.structs.asdict(kept.words))


def all_requests_reply(page: Page) -> RequestsReply:
    return RequestsReply(requests=[_anybodys(found) for found in page.requests], next=page.next)


_OF_ROW = (
    *("id", "created_at", "token_id", "call", "model", "actual_model", "status", "error_code", "attempts"),
    *("first_token_ms", "duration_ms", "bytes_sent", "request_id", "attempt_id", "address"),
)


def _own(found: Found) -> RequestReply:
    fields = {name: getattr(found.request, name) for name in _OF_ROW}
    return RequestReply(token_name=found.token_name, record_id=found.record_id, **fields)


def _anybodys(found: Found) -> RequestReply:
    reply = _own(found)
    reply.user = Person(id=found.request.user_id, username=found.username or "")
    return reply
