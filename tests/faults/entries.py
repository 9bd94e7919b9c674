"""What an attempt must say: by what its provider saw and sent, and by what befell the worker that made it."""

from typing import Any

from flask_app.domain.events import estimate_tokens
from tests.faults.harm import LOST, Kinds
from tests.support.upstream_journal import Received

ATTEMPT = (
    "a.id, a.run_id, a.state, a.status_code, a.prompt_estimate, a.max_tokens,"
    " t.id AS entry, t.source, t.outcome, t.prompt_tokens, t.cached_tokens, t.completion_tokens, t.reasoning_tokens"
)
ENTRIES = "proxy_logs a LEFT JOIN token_usage t ON t.attempt_id = a.id"
BROKEN_OFF = ("stopped", "left")  # by whoever had asked: the provider may have told its count to nobody


def id_of(request: Received) -> str:
    """The attempt's, which the provider is told."""
    return request.headers["x-request-id"]


def wrong_in(attempt: Any, request: Received | None, harms: Kinds) -> str | None:
    if attempt.state == "dispatched":
        return "an attempt that is not settled"
    if request is None:
        return None if _was_never_sent(attempt, harms) else "an attempt that the provider never saw"
    if attempt.state == "released":
        is_free = attempt.entry is None and request.usage_sent is None and request.first_token_at is None
        return None if is_free else "a released attempt that the provider had answered, or that has an entry"
    return _wrong_entry(attempt, request, harms)


def lacks(attempt: Any, words: str) -> str | None:
    """An estimate is of no less than the words that are there."""
    least = min(estimate_tokens(words), attempt.max_tokens)
    if attempt.completion_tokens >= least and attempt.prompt_tokens > 0:
        return None
    return f"an estimate of {(attempt.prompt_tokens, attempt.completion_tokens)} for words of {least} tokens"


def _was_never_sent(attempt: Any, harms: Kinds) -> bool:
    """May the provider have heard nothing of it? It was not reached, or nobody lived to ask it."""
    if attempt.state == "released":
        return attempt.status_code is None
    return bool(harms & LOST) and (attempt.source, attempt.completion_tokens) == ("estimated", 0)


def _wrong_entry(attempt: Any, request: Received, harms: Kinds) -> str | None:
    if attempt.entry is None:
        return "a settled attempt without an entry"
    counts = (attempt.prompt_tokens, attempt.cached_tokens, attempt.completion_tokens, attempt.reasoning_tokens)
    told = request.usage_sent
    if attempt.source == "reported":
        same = told and counts == (told.prompt, told.cached, told.completion, told.reasoning)
        return None if same else f"booked {counts}, told {told}"
    was_heard = attempt.outcome not in BROKEN_OFF and not (harms & LOST and attempt.outcome == "interrupted")
    if told and was_heard:
        return f"an estimate where the provider told {told}"
    most = estimate_tokens(request.text_sent)
    if attempt.prompt_tokens != attempt.prompt_estimate or attempt.completion_tokens > most:
        return f"an estimate out of bounds: {counts}, at most {most}"
    return None
