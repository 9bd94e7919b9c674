"""What an administrator does with providers' keys. A secret goes in once and never comes out."""

import time
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import in_transaction, new_id, utc_now
from flask_app.domain import cooldown, tariff
from flask_app.errors import AppError, Conflict, Invalid, NotFound, UpstreamError
from flask_app.models import ApiKey
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion import bench_statements, cooldown_service
from flask_app.services.providers import (
    environment_key,
    key_service,
    key_status_service,
    model_lists,
    model_service,
    provider_service,
)
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.providers.key_status_service import KeyStatus
from flask_app.services.reconciliation import balance_service
from flask_app.services.secrets import sealing
from flask_app.services.tariffs import currencies
from flask_app.upstream import addresses

MAX_LABEL = 64

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key to keep. Without an address it is DeepSeek's."""

    label: str
    secret: str = field(repr=False)
    base_url: str | None = None
    provider_name: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of asking the provider for its models: their names, or the failure."""

    latency_ms: int
    models: list[str]
    error: AppError | None


class KeyChange(TypedDict, total=False):
    """What may be changed; what is not named stays. None takes a cap or an account away."""

    label: str
    disabled: bool
    priority: int
    weight: int
    max_concurrent: int | None
    account: str | None
    low_balance_micros: int | None


def listed() -> list[KeyStatus]:
    """Every key that is not deleted, the oldest first; the environment's among them."""
    model_service.prepare()
    return key_status_service.listed()


def add(actor: Actor, new: NewKey) -> KeyStatus:
    """Keep a key and ask its provider for its models; a failure of that is noted on the key. Raises Invalid."""
    label, secret, currency = _label(new.label), _secret(new.secret), tariff.currency(new.currency or "CNY")
    name = _label(new.provider_name) if new.provider_name else None
    settings = config.current()
    base_url = addresses.normalise(
        new.base_url or settings.deepseek_base_url, allow_insecure=settings.allow_insecure_upstreams
    )

    def work(session: Session) -> ApiKey:
        currencies.check_new(session, currency)
        provider = provider_service.find_or_make(session, base_url, currency, name=name)
        key = ApiKey(id=new_id(), provider_id=provider.id, label=label, hint=sealing.hint_of(secret))
        key.secret = sealing.seal(secret, key.id)
        session.add(key)
        details = {"label": label, "provider": provider.name, "base_url": base_url, "currency": currency}
        audit_service.record(session, actor.user, "key.add", key.id, details, actor.address)
        return key

    key = in_transaction(work)
    _try(key, UsableKey(key.id, base_url, secret, key.provider_id, key.account))
    return key_status_service.of(key.id)


def change(actor: Actor, key_id: str, **changes: Unpack[KeyChange]) -> KeyStatus:
    """Change a key; raises NotFound, Invalid, Conflict("key_without_secret") for one that cannot be switched on."""
    if "label" in changes:
        changes["label"] = _label(changes["label"])
    if "account" in changes:
        changes["account"] = _label(changes["account"]) if changes["account"] else None

    def work(session: Session) -> None:
        key = _existing(session, key_id)
        if changes.get("disabled") is False and key.secret is None:
            raise Conflict("key_without_secret")
        before = _settings(key)
        for name, value in changes.items():
            setattr(key, name, value)
        if key.account != before["account"]:
            _share_bench(session, key)
        if difference := audit_service.difference(before, _settings(key)):
            details = {"label": key.label, **difference}
            audit_service.record(session, actor.user, "key.change", key.id, details, actor.address)

    in_transaction(work)
    return key_status_service.of(key_id)


def clear_bench(actor: Actor, key_id: str) -> KeyStatus:
    """Have the key asked again at once, with those whose bench it shares; raises NotFound."""

    def work(session: Session) -> None:
        key = _existing(session, key_id)
        cooldown_service.clear(session.connection(), UsableKey(key.id, "", "", key.provider_id, key.account))
        details = {"label": key.label, "code": key.bench_code}
        audit_service.record(session, actor.user, "key.clear_bench", key.id, details, actor.address)

    in_transaction(work)
    return key_status_service.of(key_id)


def _share_bench(session: Session, key: ApiKey) -> None:
    """A key that joins an account joins its bench."""
    of_account = (ApiKey.provider_id == key.provider_id, ApiKey.account == key.account, ApiKey.id != key.id)
    benched = (ApiKey.bench_code.in_(cooldown.ACCOUNT_CODES), ApiKey.deleted_at.is_(None))
    other = session.scalars(select(ApiKey).where(*of_account, *benched).order_by(ApiKey.benched_until.desc())).first()
    if other is not None and (key.benched_until is None or key.benched_until < (other.benched_until or utc_now())):
        for name in bench_statements.SHARED:
            setattr(key, name, getattr(other, name))


def delete(actor: Actor, key_id: str) -> None:
    """Forget the secret and take the key off the list; the ledger still names it.

    Raises NotFound, or Conflict("key_from_environment") for the key that the environment would bring back.
    """

    def work(session: Session) -> None:
        key = _existing(session, key_id)
        if key.id == environment_key.ID and config.current().deepseek_api_key:
            raise Conflict("key_from_environment")
        key.secret, key.disabled, key.deleted_at = None, True, utc_now()
        audit_service.record(session, actor.user, "key.delete", key.id, {"label": key.label}, actor.address)

    in_transaction(work)


def test(actor: Actor, key_id: str) -> Trial:
    """Ask the provider for its models with this key, also with one that is switched off; raises NotFound."""
    try:
        key, usable = _opened(actor, key_id, "key.test")
    except sealing.Unreadable as error:
        return Trial(0, [], error)
    return _try(key, usable)


def read_balance(actor: Actor, key_id: str) -> KeyStatus:
    """Ask the provider what is left on the key's account.

    Raises NotFound, UpstreamError, or Conflict: "balance_not_offered", "key_without_secret".
    """
    _, usable = _opened(actor, key_id, "key.read_balance")
    balance_service.read(usable)
    return key_status_service.of(key_id)


def _opened(actor: Actor, key_id: str, action: str) -> tuple[ApiKey, UsableKey]:
    """The key with its secret, for an act that is logged; raises NotFound, Conflict, Unreadable."""

    def work(session: Session) -> ApiKey:
        key = _existing(session, key_id)
        audit_service.record(session, actor.user, action, key.id, {"label": key.label}, actor.address)
        return key

    key = in_transaction(work)
    if key.secret is None:
        raise Conflict("key_without_secret")
    secret = sealing.unseal(key.secret, key.id)
    return key, UsableKey(key.id, key.provider.base_url, secret, key.provider_id, key.account)


def _try(key: ApiKey, usable: UsableKey) -> Trial:
    started, asked, models, failure = time.monotonic(), utc_now(), list[str](), None
    try:
        models = model_lists.read_list(key.provider_id, usable)
        cooldown_service.note_accepted(usable, asked)
    except UpstreamError as error:
        cooldown_service.note_refused(usable, error, asked)
        log.warning("key_test_failed", key=key.id, code=error.code)
        failure = error
    return Trial(int((time.monotonic() - started) * 1000), models, failure)


def _existing(session: Session, key_id: str) -> ApiKey:
    """Locked, as it is then, and not its provider with it; raises NotFound."""
    session.execute(select(ApiKey.id).where(ApiKey.id == key_id).with_for_update())
    key = session.scalar(key_status_service.with_provider().where(ApiKey.id == key_id, ApiKey.deleted_at.is_(None)))
    if key is None:
        raise NotFound
    return key


def _settings(key: ApiKey) -> dict[str, object]:
    """Everything but the secret."""
    return {name: getattr(key, name) for name in KeyChange.__annotations__}


def _label(raw: str) -> str:
    label = raw.strip()
    if not (0 < len(label) <= MAX_LABEL and label.isprintable()):
        raise Invalid("bad_label", limit=MAX_LABEL)
    return label


def _secret(raw: str) -> str:
    """The message does not repeat what cannot be a key."""
    secret = raw.strip()
    if not key_service.is_secret(secret):
        raise Invalid("bad_secret")
    return secret
