"""What is counted of attempts, answers and the ledger for whoever watches (`metrics`). No budget reads it.

What is booked is counted by the process whose commit booked it, after that commit. A COMMIT whose reply was lost is
counted by nobody: the ledger knows.
"""

from flask_app import metrics, tracing
from flask_app.domain.serving import Operation
from flask_app.services.completion.attempts import Dispatched, Entry, Outcome
from flask_app.tracing import Span

_model, _provider = metrics.Bounded(), metrics.Bounded()


def begin_attempt(asker: Span, provider: str, sent: Dispatched, operation: Operation) -> Span:
    """The time that an attempt takes, for whoever collects traces."""
    span = tracing.begin_call(f"{operation} {provider}", asker)
    span.tell(
        {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": sent.call.model,
            "mingchat.request_id": sent.call.request_id,
            "mingchat.attempt_id": sent.attempt_id,
        }
    )
    return span


def attempted(provider: str, status: int | None) -> None:
    """A provider was asked, and said this: its class of statuses, or "none"."""
    metrics.ATTEMPTS.labels(_provider(provider), f"{status // 100}xx" if status else "none").inc()


def ended(provider: str, outcome: Outcome) -> None:
    """An answer has ended, and all of it is committed."""
    metrics.ANSWERS_ENDED.labels(outcome.status).inc()
    if outcome.first_token_ms is not None:
        metrics.FIRST_TOKEN_SECONDS.labels(_provider(provider)).observe(outcome.first_token_ms / 1000)


def booked(model: str, entry: Entry | None) -> None:
    """This is in the ledger; counted where it is new."""
    if entry is None or not entry.is_new:
        return
    usage, name = entry.usage, _model(model)
    kinds = {
        "prompt_cached": usage.cached_tokens,
        "prompt_uncached": usage.prompt_tokens - usage.cached_tokens,
        "reasoning": usage.reasoning_tokens,
        "text": usage.completion_tokens - usage.reasoning_tokens,
    }
    for kind, amount in kinds.items():
        if amount > 0:
            metrics.TOKENS.labels(name, kind).inc(amount)
