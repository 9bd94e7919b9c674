"""What a provider counts of an answer, as DeepSeek, OpenAI and xAI write it."""

from typing import Annotated

import msgspec

from flask_app.domain.events import Usage
from flask_app.upstream.tool_calls import NULL

MAX_TOKENS = 1 << 31
Count = Annotated[int, msgspec.Meta(ge=0, lt=MAX_TOKENS)]


class _PromptDetails(msgspec.Struct):
    cached_tokens: Count | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: Count | None = None


class _Totals(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count


class _Usage(_Totals):
    prompt_cache_hit_tokens: Count | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    total_tokens: msgspec.Raw = NULL  # whatever it is, the rest counts


_decode_usage = msgspec.json.Decoder(_Usage).decode
_decode_totals = msgspec.json.Decoder(_Totals).decode


def usage_of(raw: bytes) -> Usage | None:
    """The provider's count, DeepSeek's fields or OpenAI's; None when it is absent or makes no sense.

    Thoughts are part of the completion, and `total_tokens` says so. xAI counts them beside it, and bills both: then the
    total is that of all three.
    """
    found = _parts_or_totals(raw)
    if found is None:
        return None
    cached = found.prompt_cache_hit_tokens
    if cached is None and found.prompt_tokens_details:
        cached = found.prompt_tokens_details.cached_tokens
    details = found.completion_tokens_details
    reasoning = (details.reasoning_tokens if details else None) or 0
    completion, both = found.completion_tokens, found.completion_tokens + reasoning
    if both + found.prompt_tokens < MAX_TOKENS and bytes(found.total_tokens) == b"%d" % (found.prompt_tokens + both):
        completion = both
    return Usage(
        prompt_tokens=found.prompt_tokens,
        cached_tokens=min(cached or 0, found.prompt_tokens),
        completion_tokens=completion,
        reasoning_tokens=min(reasoning, completion),
    )


def _parts_or_totals(raw: bytes) -> _Usage | None:
    """One part that makes no sense does not spoil the totals."""
    try:
        return _decode_usage(raw)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        totals = _decode_totals(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return _Usage(totals.prompt_tokens, totals.completion_tokens)
