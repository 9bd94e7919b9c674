"""DEEPSEEK_API_KEY as a key like the others: one row that follows the variable."""

from traceback import clear_frames

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.config import Config
from flask_app.database import in_transaction
from flask_app.errors import ConfigError, Invalid
from flask_app.models import ApiKey
from flask_app.services.providers import key_service, provider_service
from flask_app.services.secrets import sealing
from flask_app.services.secrets.sealing import Unreadable, hint_of
from flask_app.upstream import addresses

ID = "environment"
LABEL = "DEEPSEEK_API_KEY (environment)"
NAME = "DeepSeek"
CURRENCIES = ("CNY", "USD")  # it bills in no other

log = structlog.get_logger()


def check(settings: Config) -> None:
    """Raise ConfigError for what cannot be a key or a currency, and for an address that the key may not be sent to."""
    if settings.deepseek_api_key is None:
        return
    if settings.deepseek_currency not in CURRENCIES:
        raise ConfigError(f"DEEPSEEK_CURRENCY must be {' or '.join(CURRENCIES)}")
    if not key_service.is_secret(settings.deepseek_api_key):  # not shown: it may be most of one
        raise ConfigError(
            "DEEPSEEK_API_KEY cannot be an API key: a key has 8 to 512 letters, digits and signs, without spaces; "
            "leave it empty to begin without one"
        )
    try:
        addresses.normalise(settings.deepseek_base_url, allow_insecure=settings.allow_insecure_upstreams)
    except Invalid as error:
        raise ConfigError(
            f"DEEPSEEK_BASE_URL cannot be used ({error.code}). It must begin with https:// and hold no name, password "
            "or parameter; plain http and addresses of this network need ALLOW_INSECURE_UPSTREAMS=1"
        ) from error


def sync() -> None:
    """Store the variable's key, replace it when it changed, forget it when it is gone."""
    try:
        in_transaction(_follow)
    except IntegrityError as error:  # another process stored it in the same moment
        clear_frames(error.__traceback__)  # or they, and whoever asked, stay until the collector comes
        in_transaction(_follow)


def _follow(session: Session) -> None:
    settings = config.current()
    key = session.get(ApiKey, ID)
    if settings.deepseek_api_key is None:
        if key is not None:
            key.secret = None
        return
    base_url = addresses.normalise(settings.deepseek_base_url, allow_insecure=settings.allow_insecure_upstreams)
    provider = provider_service.find_or_make(session, base_url, settings.deepseek_currency, default_name=NAME)
    if key is None:
        key = ApiKey(id=ID, label=LABEL)
        session.add(key)
    is_same = _stored(key) == settings.deepseek_api_key
    if key.provider_id != provider.id or not is_same:
        stays_disabled = is_same and key.disabled
        key.provider_id = provider.id
        _store(key, settings.deepseek_api_key)
        key.disabled = stays_disabled


def _store(key: ApiKey, secret: str) -> None:
    key.secret, key.hint = sealing.seal(secret, ID), hint_of(secret)
    key.disabled, key.deleted_at = False, None
    key.last_error_code = key.last_error_at = key.last_error_detail = None
    key.benched_until = key.benched_since = key.bench_code = key.probe_until = None
    key.strikes = 0


def _stored(key: ApiKey) -> str | None:
    try:
        return sealing.unseal(key.secret, ID) if key.secret else None
    except Unreadable:  # ENCRYPTION_KEY changed: the variable still has the secret, so it is sealed anew
        return None
