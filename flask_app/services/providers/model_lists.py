"""The providers' lists of models. What one key may use decides for its provider: every key of it is asked for them.

A model that is no longer listed stays in the table, as not listed.
"""

from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import bindparam, exists, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, in_writing, table_of, utc_now
from flask_app.domain.serving import LOCAL
from flask_app.errors import AppError, UpstreamError
from flask_app.models import ApiKey, ChatModel, Provider
from flask_app.services.completion import cooldown_service
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import UsableKey
from flask_app.upstream.short_replies import list_models

# Models that can think aloud and take DeepSeek's `thinking` field, by the beginning of their names.
THINKING_PREFIXES = ("deepseek",)
# How many tokens these read and write in one conversation (https://api-docs.deepseek.com/quick_start/pricing).
KNOWN_WINDOWS = dict.fromkeys(
    ("deepseek-flash", "deepseek-v4-pro", "deepseek-v4-flash", "deepseek-v4-flash-vision-exp"), 1_000_000
)
# Pictures may be sent to these (https://api-docs.deepseek.com).
KNOWN_TO_SEE = frozenset({"deepseek-flash", "deepseek-v4-flash", "deepseek-v4-flash-vision-exp"})
MAX_MODELS, MAX_NAME_LENGTH = 1000, 128
SYNC_EVERY, RETRY_SYNC = timedelta(hours=6), timedelta(minutes=10)

log = structlog.get_logger()

_providers, _keys, _models = table_of(Provider), table_of(ApiKey), table_of(ChatModel)
_has_key = exists().where(_keys.c.provider_id == _providers.c.id, key_service.usable())
_is_due = or_(_providers.c.models_due_at.is_(None), _providers.c.models_due_at <= bindparam("now"))
_DUE = select(_providers.c.id).where(_providers.c.kind != LOCAL, _has_key, _is_due)
_CLAIM = (
    update(_providers).where(_providers.c.id == bindparam("provider"), _is_due).values(models_due_at=bindparam("next"))
)
_has_list = exists().where(_models.c.provider_id == _keys.c.provider_id, _models.c.listed)
_FIRST = select(_keys.c.id).where(_keys.c.id == bindparam("key"), key_service.usable(), ~_has_list)


def sync_due() -> None:
    """Read the lists whose time has come, also those that never could be; what another process reads is left to it."""
    with fetching() as connection:
        due = connection.scalars(_DUE, {"now": utc_now()}).all()
    for provider_id in due:
        now = utc_now()
        terms = {"provider": provider_id, "now": now, "next": now + RETRY_SYNC}
        if in_writing(lambda connection, terms=terms: connection.execute(_CLAIM, terms).rowcount):  # type: ignore[misc]
            sync(provider_id)


def sync(provider_id: str) -> bool:
    """Take the list of the first usable key that answers: what it lacks is no longer listed. Did any answer?"""
    try:
        names = _first_answer(provider_id)
        if names:
            _despite_a_race(lambda session: _keep(session, provider_id, names))
    except (AppError, SQLAlchemyError) as error:
        log.warning("model_list_not_read", provider=provider_id, reason=str(error))
        return False
    return bool(names)


def read_list(provider_id: str, key: UsableKey) -> list[str]:
    """Ask the provider which models this key may use, and give their names; raises UpstreamError.

    A provider that has no list yet gets this one, unless the key is switched off; a list that is there stays as it is.
    """
    names = _ask(key)

    def keep_first(session: Session) -> None:
        if session.scalar(_FIRST, {"key": key.id}):
            _keep(session, provider_id, names)

    _despite_a_race(keep_first)
    return names


def _first_answer(provider_id: str) -> list[str]:
    """The refusals before it are noted on their keys; empty where no key answers."""
    for key in key_service.of_provider(provider_id):
        asked = utc_now()
        try:
            return _ask(key)
        except UpstreamError as error:
            cooldown_service.note_refused(key, error, asked)
            log.warning("model_list_not_read", provider=provider_id, key=key.id, code=error.code)
    return []


def _ask(key: UsableKey) -> list[str]:
    """An empty list is taken for a fault."""
    names = _presentable(list_models(key.endpoint()))
    if not names:
        raise UpstreamError("upstream_garbage")
    return names


def _presentable(names: list[str]) -> list[str]:
    """Spaces around a name go: to MariaDB "gpt" and "gpt " are one."""
    trimmed = (name.strip() for name in names)
    fit = {name.casefold(): name for name in trimmed if name.isprintable() and 0 < len(name) <= MAX_NAME_LENGTH}
    return list(fit.values())[:MAX_MODELS]


def _despite_a_race(keep: Callable[[Session], None]) -> None:
    try:
        in_transaction(keep)
    except IntegrityError:  # another process kept the same list in the same moment
        in_transaction(keep)


def _keep(session: Session, provider_id: str, names: list[str]) -> None:
    session.execute(update(Provider).where(Provider.id == provider_id).values(models_due_at=utc_now() + SYNC_EVERY))
    known = session.scalars(select(ChatModel).where(ChatModel.provider_id == provider_id)).all()
    wanted = {name.casefold(): name for name in names}
    for model in known:
        model.listed = wanted.pop(model.name.casefold(), None) is not None
    session.add_all(_new_model(provider_id, name) for name in wanted.values())


def _new_model(provider_id: str, name: str) -> ChatModel:
    folded = name.casefold()
    return ChatModel(
        provider_id=provider_id,
        name=name,
        label=name,
        thinking=folded.startswith(THINKING_PREFIXES),
        sees=folded in KNOWN_TO_SEE,
        context_tokens=KNOWN_WINDOWS.get(folded),
    )
