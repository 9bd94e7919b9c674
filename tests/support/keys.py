"""Providers and keys for tests, as an administrator would have added them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask_app.database import reading, transaction
from flask_app.domain.serving import ServedModel
from flask_app.models import ApiKey, ChatModel, Provider
from flask_app.services.secrets import sealing


def keep_provider(name: str, base_url: str, *, models: Iterable[str] = (), **fields: Any) -> str:
    """A provider that lists `models`; gives its id."""
    provider = Provider(name=name, base_url=base_url, **fields)
    with transaction() as session:
        session.add(provider)
        session.flush()
        session.add_all(ChatModel(provider_id=provider.id, name=model, label=model) for model in models)
    return provider.id


def keep_key(provider_id: str, key_id: str, **fields: Any) -> str:
    """A key whose secret is "secret of <its id>"; gives the id."""
    key = ApiKey(id=key_id, provider_id=provider_id, label=key_id, hint="", **fields)
    if "secret" not in fields:
        key.secret = sealing.seal(f"secret of {key_id}", key_id)
    with transaction() as session:
        session.add(key)
    return key_id


def stored_key(key_id: str) -> ApiKey:
    with reading() as session:
        return session.get_one(ApiKey, key_id)


def change_key(key_id: str, **fields: Any) -> None:
    with transaction() as session:
        key = session.get_one(ApiKey, key_id)
        for name, value in fields.items():
            setattr(key, name, value)


def rest_longer(key_id: str) -> None:
    """The key rests: some do so for two seconds only, which are over before the next request on a busy machine."""
    rests = stored_key(key_id).benched_until
    assert rests
    change_key(key_id, benched_until=rests + timedelta(minutes=5))


def served(provider_id: str, *, name: str = "m", kind: str = "openai") -> ServedModel:
    return ServedModel(
        id="id", name=name, label=name, thinking=False, provider_id=provider_id, provider="", kind=kind, currency="CNY"
    )
