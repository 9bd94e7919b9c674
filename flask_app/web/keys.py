"""Keys as JSON: everything about them but the secret."""

from datetime import datetime
from typing import Literal, cast

from flask_app.domain.balance import Balance
from flask_app.errors import AppError
from flask_app.models import ApiKey, Provider
from flask_app.services.providers import environment_key
from flask_app.services.providers.key_admin_service import Trial
from flask_app.services.providers.key_status_service import KeyStatus
from flask_app.services.web_search import search_settings
from flask_app.web.bodies import Reply
from flask_app.web.failures import sentence

State = Literal["ready", "full", "benched", "due", "probing", "disabled"]


class ProviderReply(Reply):
    """Of several that list a model the one with the lowest `priority` is asked first.

    Its answers are booked in `currency`. `balance_offered`: does it tell what is left on an account? Null is not known
    yet.
    """

    id: str
    name: str
    base_url: str
    currency: str
    priority: int
    balance_offered: bool | None


class NotedError(Reply):
    """What went wrong when the key was last asked; `message` is in the reader's language.

    `detail` is the provider's own words, shortened and without secrets.
    """

    code: str
    message: str
    detail: str | None
    at: datetime


class Bench(Reply):
    """Why the key is not asked, since when and until when. It comes back by itself."""

    code: str
    message: str
    since: datetime
    until: datetime


class Day(Reply):
    """The last 24 hours: requests that have ended, those of them that the key or its provider failed.

    The times are means in milliseconds, null where nothing was answered.
    """

    requests: int
    failures: int
    duration_ms: int | None
    first_token_ms: int | None


class BalanceSum(Reply):
    """What is left in one currency, in millionths of it; `granted` and `topped_up` are parts of `total`."""

    currency: str
    total_micros: int
    granted_micros: int
    topped_up_micros: int


class BalanceReply(Reply):
    """What was left on the key's account at `at`; `available`: was it enough for the provider to answer?

    `other_currency` is the one that it is in, where nothing is left in the one that answers are booked in; null else.
    """

    available: bool
    sums: list[BalanceSum]
    other_currency: str | None
    at: datetime


class KeyReply(Reply):
    """`hint` is the end of the secret. `from_environment`: it follows DEEPSEEK_API_KEY and cannot be deleted.

    `live` counts the answers that the key is making now. Less than `low_balance_micros` left is warned of; null is what
    the site says.
    """

    id: str
    label: str
    provider: ProviderReply
    hint: str
    state: State
    disabled: bool
    from_environment: bool
    priority: int
    weight: int
    max_concurrent: int | None
    account: str | None
    bench: Bench | None
    live: int
    day: Day
    created_at: datetime
    last_used_at: datetime | None
    last_error: NotedError | None
    balance: BalanceReply | None
    low_balance_micros: int | None


class KeysReply(Reply):
    """`searches_by` is the provider whose keys search the web; null where none do."""

    keys: list[KeyReply]
    searches_by: str | None


class Failure(Reply):
    code: str
    message: str


class TrialReply(Reply):
    """What came of asking the provider for its models."""

    ok: bool
    latency_ms: int
    models: list[str]
    error: Failure | None


def key_reply(status: KeyStatus) -> KeyReply:
    key, figures = status.key, status.figures
    return KeyReply(
        id=key.id,
        label=key.label,
        provider=provider_reply(key.provider),
        hint=key.hint,
        state=cast("State", status.state),
        disabled=status.state == "disabled",
        from_environment=key.id == environment_key.ID,
        priority=key.priority,
        weight=key.weight,
        max_concurrent=key.max_concurrent,
        account=key.account,
        bench=_bench(key),
        live=figures.live,
        day=Day(
            requests=figures.requests,
            failures=figures.failures,
            duration_ms=figures.duration_ms,
            first_token_ms=figures.first_token_ms,
        ),
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        last_error=_noted(key),
        balance=_balance(key),
        low_balance_micros=key.low_balance_micros,
    )


def keys_reply(statuses: list[KeyStatus]) -> KeysReply:
    searcher = search_settings.engine()
    return KeysReply(
        keys=[key_reply(status) for status in statuses],
        searches_by=searcher.provider_id if searcher and searcher.kind == search_settings.DEEPSEEK else None,
    )


def provider_reply(provider: Provider) -> ProviderReply:
    return ProviderReply(
        id=provider.id,
        name=provider.name,
        base_url=provider.base_url,
        currency=provider.currency,
        priority=provider.priority,
        balance_offered=provider.balance_offered,
    )


def trial_reply(trial: Trial) -> TrialReply:
    error = trial.error
    failure = Failure(code=error.code, message=sentence(error)) if error else None
    return TrialReply(ok=error is None, latency_ms=trial.latency_ms, models=trial.models, error=failure)


def _bench(key: ApiKey) -> Bench | None:
    if key.bench_code is None or key.benched_until is None or key.benched_since is None:
        return None
    message = sentence(AppError(key.bench_code))
    return Bench(code=key.bench_code, message=message, since=key.benched_since, until=key.benched_until)


def _noted(key: ApiKey) -> NotedError | None:
    if key.last_error_code is None or key.last_error_at is None:
        return None
    message = sentence(AppError(key.last_error_code))
    return NotedError(code=key.last_error_code, message=message, detail=key.last_error_detail, at=key.last_error_at)


def _balance(key: ApiKey) -> BalanceReply | None:
    if key.balance is None or key.balance_at is None:
        return None
    balance = Balance.restored(key.balance)
    sums = [
        BalanceSum(
            currency=part.currency,
            total_micros=part.total,
            granted_micros=part.granted,
            topped_up_micros=part.topped_up,
        )
        for part in balance.sums
    ]
    other = balance.other_than(key.provider.currency)
    return BalanceReply(available=balance.available, sums=sums, other_currency=other, at=key.balance_at)
