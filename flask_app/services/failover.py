"""Who is asked next, after a pause or at once, when an attempt failed before anything of an answer was shown."""

from collections.abc import Sequence

from flask_app.domain import cooldown
from flask_app.errors import UpstreamError
from flask_app.services import key_service
from flask_app.services.key_service import Candidate

NO_SUCH_PATH = (404, 405)


def lacks_prefixes(failure: UpstreamError) -> bool:
    """Does the provider not know the address at which answers are gone on with? It can still be asked in words."""
    return failure.upstream_status in NO_SUCH_PATH


def after(failure: UpstreamError, last: Candidate, others: Sequence[Candidate], *, heard: bool) -> list[Candidate]:
    """Whom to ask after `last` failed, in this order; nobody where another try helps nobody.

    Where nobody else is left the same key is asked again, if its provider was out of order for a moment, did not say
    until when, and had not even begun (`heard`): what it had, it may bill.
    """
    if not failure.retryable:
        return []
    rule = cooldown.RULES.get(failure.code)
    if not others:
        is_worth_it = rule and rule.may_pass and failure.retry_after is None and not heard
        return [last] if is_worth_it else []
    if rule and rule.blames_provider:
        return sorted(others, key=lambda other: other.model.provider_id == last.model.provider_id)
    return list(others)


def pause_before(attempt: int, first: Candidate, last: Candidate) -> float:
    """Seconds to wait before `first` is asked as the `attempt`-th, after `last`: the same account is not pressed."""
    return cooldown.pause_before(attempt, key_service.draw) if first.key.shares_account_with(last.key) else 0
