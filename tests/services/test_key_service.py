"""Keys on their way to a provider: which of them may be asked for a model, and in which order."""

import dataclasses
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_app import config
from flask_app.database import transaction, utc_now
from flask_app.domain.serving import LOCAL, ServedModel
from flask_app.errors import Unavailable
from flask_app.models import ChatModel
from flask_app.services.providers import key_service
from flask_app.services.secrets import sealing
from flask_app.services.secrets.sealing import Unreadable
from tests.support.keys import change_key, keep_key, keep_provider, served, stored_key

ADDRESS = "https://api.example.com/v1"


@pytest.fixture
def provider_id(app: Flask) -> str:
    return keep_provider("Example", ADDRESS, models=["m"])


def order(model: ServedModel, chance: float = 0.5) -> list[str | None]:
    return [candidate.key.id for candidate in key_service.candidates(model, chance=lambda: chance)]


def test_a_key_comes_with_its_secret_and_its_providers_address(provider_id: str) -> None:
    keep_key(provider_id, "a", account="ours", max_concurrent=3)
    (candidate,) = key_service.candidates(served(provider_id))
    key = candidate.key
    assert (key.id, key.base_url, key.secret, key.provider_id) == ("a", ADDRESS, "secret of a", provider_id)
    assert (key.account, key.max_concurrent) == ("ours", 3)
    assert "secret of a" not in repr(candidate)


def test_only_keys_that_may_be_asked_of_providers_that_list_the_model(provider_id: str) -> None:
    keep_key(provider_id, "a")
    keep_key(provider_id, "b", disabled=True)
    keep_key(provider_id, "c", deleted_at=utc_now())
    keep_key(provider_id, "d", secret=None)
    keep_key(keep_provider("Other", ADDRESS, models=["another"]), "e")
    unlisted = keep_provider("Unlisted", ADDRESS, models=["m"])
    with transaction() as session:
        session.query(ChatModel).filter_by(provider_id=unlisted).update({"listed": False})
    keep_key(unlisted, "f")
    assert order(served(provider_id)) == ["a"]
    assert order(served("nobody", name="unheard of")) == []


def test_another_provider_with_the_same_model_stands_behind_the_chosen_one(provider_id: str) -> None:
    other = keep_provider("Other", ADDRESS, models=["M"], currency="USD")
    keep_key(provider_id, "a", priority=5)
    keep_key(other, "b")
    first, second = key_service.candidates(served(provider_id))
    assert (first.key.id, first.model.provider_id) == ("a", provider_id)
    assert (second.key.id, second.model.name, second.model.currency) == ("b", "M", "USD"), "in its own words"
    assert order(served(other, name="M")) == ["b", "a"]


def test_priorities_come_before_everything_else(provider_id: str) -> None:
    other = keep_provider("Other", ADDRESS, models=["m"], priority=-1)
    keep_key(provider_id, "a", priority=2, weight=1000)
    keep_key(provider_id, "b", priority=1)
    keep_key(other, "c", priority=9)
    for chance in (0.0, 0.5, 0.999):
        assert order(served(provider_id), chance) == ["c", "b", "a"]


def test_within_a_priority_weights_decide_how_often_a_key_is_first(provider_id: str) -> None:
    keep_key(provider_id, "a", weight=1)
    keep_key(provider_id, "b", weight=3)
    chance = random.Random(1).random
    firsts = Counter(key_service.candidates(served(provider_id), chance=chance)[0].key.id for _ in range(400))
    assert 0.65 < firsts["b"] / 400 < 0.85
    assert firsts["a"] > 0


def test_a_key_that_cannot_be_read_does_not_stand_in_the_way_of_others(provider_id: str) -> None:
    keep_key(provider_id, "a", secret=sealing.seal("secret of b", "b"))
    keep_key(provider_id, "b")
    assert order(served(provider_id)) == ["b"]
    assert [key.id for key in key_service.of_provider(provider_id)] == ["b"]


def test_when_no_key_can_be_read_the_reason_is_told(provider_id: str) -> None:
    keep_key(provider_id, "a")
    config.install(dataclasses.replace(config.current(), encryption_key="a key that came after the first one was lost"))
    with pytest.raises(Unreadable, match="encryption_key_changed"):
        order(served(provider_id))


def test_for_a_list_the_keys_that_are_not_benched_come_first(provider_id: str) -> None:
    keep_key(provider_id, "a", benched_until=utc_now())
    keep_key(provider_id, "b", priority=1)
    keep_key(provider_id, "c")
    assert [key.id for key in key_service.of_provider(provider_id)] == ["c", "b", "a"]


def test_a_local_model_that_is_not_there_is_said_so(app: Flask) -> None:
    config.install(dataclasses.replace(config.current(), local_model_path=Path("/nowhere/model.gguf")))
    with pytest.raises(Unavailable, match="local_model_unavailable"):
        key_service.candidates(served("local", kind=LOCAL))


@pytest.mark.local_model
def test_the_local_model_is_started_ahead_and_answers_on_this_machine_alone(app: Flask) -> None:
    local = key_service.local_model()
    try:
        key_service.warm_up()
        (candidate,) = key_service.candidates(served("local", kind=LOCAL))
        where = candidate.key.endpoint()
        assert (candidate.key.id, where.allow_insecure) == (None, True)
        assert where.base_url.startswith("http://127.0.0.1:")
        assert (where.base_url, where.secret) == (local.endpoint().base_url, local.endpoint().api_key)
    finally:
        local.stop()


@pytest.mark.parametrize("fields", [{}, {"account": "ours"}])
def test_keys_share_an_account_where_it_has_a_name(provider_id: str, fields: dict[str, Any]) -> None:
    for name in "ab":
        keep_key(provider_id, name, **fields)
    keep_key(keep_provider("Other", ADDRESS, models=["m"]), "c", **fields)
    a, b, c = sorted(
        (candidate.key for candidate in key_service.candidates(served(provider_id))), key=lambda k: k.id or ""
    )
    assert a.shares_account_with(b) is bool(fields)
    assert a.shares_account_with(a)
    assert not a.shares_account_with(c), "another provider's account of the same name is another account"


@pytest.mark.security("sealed-to-its-row")
def test_secrets_that_were_exchanged_in_the_database_open_nothing(app: Flask) -> None:
    providers = [keep_provider(name, f"https://{name}.example") for name in ("one", "two")]
    keys = [keep_key(provider, f"key of {provider}") for provider in providers]
    first, second = (stored_key(key).secret for key in keys)
    assert [key.secret for provider in providers for key in key_service.of_provider(provider)] == [
        f"secret of {key}" for key in keys
    ]
    change_key(keys[0], secret=second)
    change_key(keys[1], secret=first)
    for provider in providers:
        with pytest.raises(Unreadable, match="secret_damaged"):
            key_service.of_provider(provider)
