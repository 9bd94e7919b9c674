"""Keys on their way to a provider: which, in which order, and what came of asking."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from flask_app import config
from flask_app.database import reading, transaction, utc_now
from flask_app.domain.serving import LOCAL, ServedModel
from flask_app.errors import Unavailable
from flask_app.models import ApiKey, Provider
from flask_app.services import key_service, sealing
from flask_app.services.sealing import Unreadable

ADDRESS = "https://api.example.com/v1"


@pytest.fixture
def provider_id(app: Flask) -> str:
    provider = Provider(name="Example", base_url=ADDRESS)
    with transaction() as session:
        session.add(provider)
    return provider.id


def keep(provider_id: str, key_id: str, **fields: object) -> str:
    key = ApiKey(id=key_id, provider_id=provider_id, label=key_id, hint="", **fields)
    key.secret = sealing.seal(f"secret of {key_id}", key_id) if "secret" not in fields else key.secret
    with transaction() as session:
        session.add(key)
    return key_id


def stored(key_id: str) -> ApiKey:
    with reading() as session:
        return session.get_one(ApiKey, key_id)


def model(provider_id: str, kind: str = "openai") -> ServedModel:
    return ServedModel(
        id="m", name="m", label="m", thinking=False, provider_id=provider_id, provider="", kind=kind, currency="CNY"
    )


def order(provider_id: str) -> list[str | None]:
    return [key.id for key in key_service.candidates(model(provider_id))]


def test_a_key_comes_with_its_secret_and_its_providers_address(provider_id: str) -> None:
    keep(provider_id, "a")
    (key,) = key_service.candidates(model(provider_id))
    assert (key.id, key.base_url, key.secret) == ("a", ADDRESS, "secret of a")
    assert "secret of a" not in repr(key)


def test_only_keys_of_that_provider_that_may_be_asked(provider_id: str) -> None:
    keep(provider_id, "a")
    keep(provider_id, "b", disabled=True)
    keep(provider_id, "c", deleted_at=utc_now())
    keep(provider_id, "d", secret=None)
    other = Provider(name="Other", base_url=ADDRESS)
    with transaction() as session:
        session.add(other)
    keep(other.id, "e")
    assert order(provider_id) == ["a"]
    assert order("nobody") == []


def test_a_key_that_was_refused_is_asked_last_for_a_while(provider_id: str) -> None:
    for name in "abc":
        keep(provider_id, name)
    key_service.note_error("a", "upstream_key_refused")
    key_service.note_error("b", "upstream_failed")  # the provider's fault, not the key's
    assert order(provider_id) == ["b", "c", "a"]
    with transaction() as session:
        session.get_one(ApiKey, "a").last_error_at = utc_now() - timedelta(minutes=11)
    assert order(provider_id) == ["a", "b", "c"]


def test_the_only_key_is_asked_even_after_it_was_refused(provider_id: str) -> None:
    keep(provider_id, "a")
    key_service.note_error("a", "upstream_no_balance")
    assert order(provider_id) == ["a"]


def test_an_answer_ends_what_was_noted_before_it(provider_id: str) -> None:
    keep(provider_id, "a")
    asked_at = utc_now()
    key_service.note_error("a", "upstream_busy")
    with transaction() as session:
        key_service.note_used(session.connection(), "a", asked_at)
    assert stored("a").last_used_at == asked_at
    assert stored("a").last_error_code is None


def test_last_used_is_written_once_a_minute_unless_there_is_an_error_to_clear(provider_id: str) -> None:
    keep(provider_id, "a")
    first, soon, later = (utc_now() + timedelta(seconds=seconds) for seconds in (0, 30, 90))
    for moment in (first, soon):
        with transaction() as session:
            key_service.note_used(session.connection(), "a", moment)
    assert stored("a").last_used_at == first
    with transaction() as session:
        key_service.note_used(session.connection(), "a", later)
    assert stored("a").last_used_at == later


def test_errors_of_the_local_model_concern_no_key(app: Flask) -> None:
    key_service.note_error(None, "upstream_failed")


def test_a_key_that_cannot_be_read_does_not_stand_in_the_way_of_others(provider_id: str) -> None:
    keep(provider_id, "a", secret=sealing.seal("secret of b", "b"))
    keep(provider_id, "b")
    assert order(provider_id) == ["b"]


def test_when_no_key_can_be_read_the_reason_is_told(provider_id: str) -> None:
    keep(provider_id, "a")
    config.install(dataclasses.replace(config.current(), encryption_key="a key that came after the first one was lost"))
    with pytest.raises(Unreadable, match="encryption_key_changed"):
        order(provider_id)


def test_a_local_model_that_is_not_there_is_said_so(app: Flask) -> None:
    config.install(dataclasses.replace(config.current(), local_model_path=Path("/nowhere/model.gguf")))
    with pytest.raises(Unavailable, match="local_model_unavailable"):
        key_service.candidates(model("local", LOCAL))
