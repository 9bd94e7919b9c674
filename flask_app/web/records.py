"""The ledger's entries as JSON: what was asked, what answered, where the figures are from, what it cost and why."""

from datetime import datetime

import msgspec

from flask_app.domain import tariff
from flask_app.domain.events import Usage
from flask_app.models import Tariff, TokenUsage
from flask_app.services.tariffs import tariff_service
from flask_app.services.usage.records_service import Page, Record
from flask_app.services.usage.sums import is_free
from flask_app.web.bodies import Reply


class Person(Reply):
    id: str
    username: str


class PartReply(Reply):
    """Tokens of one price: `kind` is input_hit (from the provider's cache), input_miss or output, and `price` is for a
    million, as a decimal string. Of the kind request it is for a thousand requests, and `tokens` is 0: what having
    asked costs, left out where that is nothing. The parts' `micros` add up to the record's cost.
    """

    kind: str
    tokens: int
    price: str
    micros: int


class PriceReply(Reply):
    """The tariff that the record was priced by, which holds since `starts_at`."""

    tariff_id: str
    starts_at: datetime
    parts: list[PartReply]


class RecordReply(Reply):
    """An entry of the ledger; one of the kind "refund" takes back what the usage of the same attempt took.

    `provenance`: reported by the provider, estimated, partial (estimated, of an answer that was cut short) or refunded.
    `attempts` counts the requests to providers that the answer took. `cost_micros` is null without a price;
    `request_id` is what the log calls the request that asked, `attempt_id` what the provider was told as X-Request-ID.
    `token_name` is the access token's that a program asked with, of the channel "api". `unread`: a person asked, and
    nobody followed the answer any more when it ended.
    `free`: nobody bills it, as where the local model answered or SearXNG was asked. `user` and `key_label` are for
    administrators, and absent in one's own records.
    """

    id: str
    kind: str
    created_at: datetime
    channel: str
    model: str
    actual_model: str | None
    provider: str | None
    provenance: str
    source: str
    outcome: str
    attempts: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost_micros: int | None
    currency: str | None
    free: bool
    peak: bool | None
    price: PriceReply | None
    first_token_ms: int | None
    duration_ms: int
    refunded_at: datetime | None
    reason: str | None
    request_id: str | None
    attempt_id: str
    token_name: str | None
    unread: bool
    user: Person | msgspec.UnsetType = msgspec.UNSET
    key_label: str | msgspec.UnsetType | None = msgspec.UNSET


class RecordsReply(Reply):
    """`next` goes into `before` for the page after; null at the end."""

    records: list[RecordReply]
    next: str | None


def own_records_reply(page: Page) -> RecordsReply:
    return RecordsReply(records=[own_record_reply(record) for record in page.records], next=page.next)


def all_records_reply(page: Page) -> RecordsReply:
    return RecordsReply(records=[full_record_reply(record) for record in page.records], next=page.next)


_OF_ENTRY = (
    *("id", "attempt_id", "kind", "created_at", "channel", "model", "actual_model", "source", "outcome"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"),
    *("cost_micros", "currency", "peak", "first_token_ms", "duration_ms"),
)


def own_record_reply(record: Record) -> RecordReply:
    entry = record.entry
    return RecordReply(
        provider=record.provider,
        provenance=record.provenance,
        attempts=record.attempts,
        total_tokens=entry.prompt_tokens + entry.completion_tokens,
        free=is_free(entry),
        price=_price(entry, record.tariff) if record.tariff else None,
        refunded_at=record.refunded_at,
        reason=record.reason,
        request_id=record.request_id,
        token_name=record.token_name,
        unread=bool(record.unread),
        **{name: getattr(entry, name) for name in _OF_ENTRY},
    )


def full_record_reply(record: Record) -> RecordReply:
    """With what only administrators see."""
    reply = own_record_reply(record)
    reply.user = Person(id=record.entry.user_id, username=record.username or "")
    reply.key_label = record.key_label
    return reply


def _price(entry: TokenUsage, by: Tariff) -> PriceReply:
    sign = -1 if entry.kind == "refund" else 1
    counts = (entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens)
    usage = Usage(*(sign * count for count in counts))
    prices = tariff_service.prices_of(by, peak=bool(entry.peak))
    tokens = (usage.cached_tokens, usage.prompt_tokens - usage.cached_tokens, usage.completion_tokens)
    *costs, asked = tariff.parts(usage, prices)
    parts = [
        PartReply(
            kind=kind,
            tokens=sign * count,
            price=tariff.decimal(getattr(prices, kind)),
            micros=sign * micros,
        )
        for kind, count, micros in zip(("input_hit", "input_miss", "output"), tokens, costs, strict=True)
    ]
    if asked:
        price = tariff.requests_price(prices.request)
        parts.append(PartReply(kind="request", tokens=0, price=price, micros=sign * asked))
    return PriceReply(tariff_id=by.id, starts_at=by.starts_at, parts=parts)
