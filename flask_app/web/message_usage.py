"""What one answer took, as JSON."""

from flask_app.models import TokenUsage
from flask_app.services.usage.message_usage import Details
from flask_app.services.usage.sums import is_free
from flask_app.web.bodies import Reply
from flask_app.web.usage import Cost

_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")


class SearchCost(Reply):
    """What searching the web for an answer cost; `unpriced` where that had no price. SearXNG costs nothing."""

    costs: list[Cost]
    unpriced: bool


class MessageUsageReply(Reply):
    """What an answer took, all its runs together; nothing before it is booked.

    `actual_model` is what the provider said that answers, `effort` what it was told to think with, `estimated` whether
    any of the figures is an estimate. `costs` leaves out what has no price: `unpriced` says that there is some, `free`
    that it costs nothing because the local model answered. `first_token_ms` is the wait of the first run; `writing_ms`
    the time from each run's first token to its end, null where no token came; `written_tokens` came in that time.
    `search` is beside all that: what its question's search took, null where it was not searched for.
    """

    model: str | None
    actual_model: str | None
    effort: str | None
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    estimated: bool
    costs: list[Cost]
    unpriced: bool
    free: bool
    first_token_ms: int | None
    writing_ms: int | None
    written_tokens: int
    duration_ms: int
    search: SearchCost | None


def message_usage_reply(details: Details) -> MessageUsageReply:
    entries = details.entries
    timed = [entry for entry in entries if entry.first_token_ms is not None]
    writing = [entry.duration_ms - (entry.first_token_ms or 0) for entry in timed]
    return MessageUsageReply(
        model=details.model,
        actual_model=entries[-1].actual_model if entries else None,
        effort=details.effort,
        estimated=any(entry.source == "estimated" for entry in entries),
        costs=_costs(entries),
        unpriced=_is_unpriced(entries),
        free=bool(entries) and all(is_free(entry) for entry in entries),
        first_token_ms=entries[0].first_token_ms if entries else None,
        writing_ms=sum(writing) if writing else None,
        written_tokens=sum(entry.completion_tokens for entry in timed),
        duration_ms=sum(entry.duration_ms for entry in entries),
        search=_search_cost(details.searches),
        **{name: sum(getattr(entry, name) for entry in entries) for name in _TOKENS},
    )


def _search_cost(entries: list[TokenUsage]) -> SearchCost | None:
    return SearchCost(costs=_costs(entries), unpriced=_is_unpriced(entries)) if entries else None


def _is_unpriced(entries: list[TokenUsage]) -> bool:
    return any(entry.cost_micros is None and not is_free(entry) for entry in entries)


def _costs(entries: list[TokenUsage]) -> list[Cost]:
    """One for each currency."""
    sums: dict[str, int] = {}
    for entry in entries:
        if entry.cost_micros is not None and entry.currency is not None:
            sums[entry.currency] = sums.get(entry.currency, 0) + entry.cost_micros
    return [Cost(currency=currency, micros=micros) for currency, micros in sums.items()]
