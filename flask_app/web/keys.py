"""Keys as JSON: everything about them but the secret."""

from datetime import datetime

from flask_app.errors import AppError
from flask_app.models import ApiKey
from flask_app.services import environment_key
from flask_app.services.key_admin_service import Trial
from flask_app.web.bodies import Reply
from flask_app.web.failures import sentence


class ProviderReply(Reply):
    id: str
    name: str
    base_url: str


class NotedError(Reply):
    """What went wrong when the key was last asked; `message` is in the reader's language."""

    code: str
    message: str
    at: datetime


class KeyReply(Reply):
    """`hint` is the end of the secret. `from_environment`: it follows DEEPSEEK_API_KEY and cannot be deleted."""

    id: str
    label: str
    provider: ProviderReply
    hint: str
    disabled: bool
    from_environment: bool
    created_at: datetime
    last_used_at: datetime | None
    last_error: NotedError | None


class KeysReply(Reply):
    keys: list[KeyReply]


class Failure(Reply):
    code: str
    message: str


class TrialReply(Reply):
    """What came of asking the provider for its models."""

    ok: bool
    latency_ms: int
    models: list[str]
    error: Failure | None


def key_reply(key: ApiKey) -> KeyReply:
    return KeyReply(
        id=key.id,
        label=key.label,
        provider=ProviderReply(id=key.provider.id, name=key.provider.name, base_url=key.provider.base_url),
        hint=key.hint,
        disabled=key.disabled or key.secret is None,
        from_environment=key.id == environment_key.ID,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        last_error=_noted(key),
    )


def keys_reply(keys: list[ApiKey]) -> KeysReply:
    return KeysReply(keys=[key_reply(key) for key in keys])


def trial_reply(trial: Trial) -> TrialReply:
    error = trial.error
    failure = Failure(code=error.code, message=sentence(error)) if error else None
    return TrialReply(ok=error is None, latency_ms=trial.latency_ms, models=trial.models, error=failure)


def _noted(key: ApiKey) -> NotedError | None:
    if key.last_error_code is None or key.last_error_at is None:
        return None
    return NotedError(code=key.last_error_code, message=sentence(AppError(key.last_error_code)), at=key.last_error_at)
