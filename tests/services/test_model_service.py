"""Which models can answer: the environment's key, keys added, the lists of providers, the demonstration."""

import dataclasses
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config
from flask_app.config import Config
from flask_app.database import reading, transaction
from flask_app.domain.serving import ServedModel
from flask_app.errors import ConfigError, Invalid, Unavailable
from flask_app.models import ApiKey, ChatModel, Provider
from flask_app.services.audit.audit_service import Actor
from flask_app.services.chat import prompts
from flask_app.services.chat.prompts import Request
from flask_app.services.providers import environment_key, key_admin_service, key_service, model_lists, model_service
from flask_app.services.providers.key_admin_service import NewKey
from tests.support.brokers import PATIENCE, wait_until
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream, Status
from tests.support.together import at_once
from tests.support.upstream_paused import Paused

NO_MODEL = Path("/nowhere/model.gguf")


def change(**settings: Any) -> None:
    config.install(dataclasses.replace(config.current(), **settings))


def names() -> list[str]:
    return [model.name for model in model_service.available()]


def wait_for_readers() -> None:
    for thread in threading.enumerate():
        if thread.name == "model-lists":
            thread.join()


def read_again() -> None:
    """As every six hours."""
    model_lists.sync(environment().provider_id)


def secrets_for(model: ServedModel) -> list[str]:
    return [candidate.key.secret for candidate in key_service.candidates(model)]


def environment() -> ApiKey:
    with reading() as session:
        return session.get_one(ApiKey, environment_key.ID)


def test_the_environments_key_opens_its_providers_models(app: Flask, upstream: ScriptedUpstream) -> None:
    upstream.keys = {"test-key"}
    models = model_service.available()
    assert [(model.name, model.provider, model.thinking, model.demo) for model in models] == [
        ("deepseek-flash", "DeepSeek", True, False),
        ("deepseek-v4-pro", "DeepSeek", True, False),
    ]
    assert secrets_for(models[0]) == ["test-key"]
    assert environment().secret
    assert b"test-key" not in (environment().secret or b"")


def test_the_list_is_read_once(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    assert len(upstream.journal) == 1
    names()
    change()
    names()
    assert len(upstream.journal) == 1


def test_a_changed_variable_replaces_the_key_and_wakes_a_disabled_one(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    key_admin_service.change(Actor(None), environment_key.ID, disabled=True)
    change()
    names()
    assert environment().disabled, "the same variable does not undo what an administrator did"
    change(deepseek_currency="USD")
    names()
    assert environment().disabled, "nor does another currency"
    change(deepseek_api_key="another-key")
    model = model_service.find(None)
    assert secrets_for(model) == ["another-key"]


def test_a_variable_that_is_gone_takes_the_key_with_it(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    change(deepseek_api_key=None, local_model_path=NO_MODEL)
    assert names() == []
    assert environment().secret is None
    change(deepseek_api_key="test-key")
    assert names() == ["deepseek-flash", "deepseek-v4-pro"]


def test_a_key_sealed_with_a_lost_encryption_key_is_sealed_anew(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    change(encryption_key="the encryption key that this site has now")
    assert secrets_for(model_service.find(None)) == ["test-key"]


def test_another_address_is_another_provider(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    added = key_admin_service.add(Actor(None), NewKey(label="ours", secret="sk-0123456789abcdef")).key
    with ScriptedUpstream() as elsewhere:
        change(deepseek_base_url=elsewhere.base_url)
        names()
        wait_for_readers()
        with reading() as session:
            found = session.execute(
                select(ApiKey.id, Provider.base_url).join(Provider, Provider.id == ApiKey.provider_id)
            )
            addresses = {row.id: row.base_url for row in found}
    assert addresses == {environment_key.ID: elsewhere.base_url, added.id: upstream.base_url}


def test_another_currency_is_another_provider_with_the_same_models(app: Flask, upstream: ScriptedUpstream) -> None:
    before = names()
    change(deepseek_currency="USD")
    assert names() == before
    with reading() as session:
        currency = session.get_one(Provider, environment().provider_id).currency
    assert (currency, model_service.find(None).currency) == ("USD", "USD")


def test_an_address_that_is_not_allowed_stops_the_start(base_config: Config) -> None:
    with pytest.raises(ConfigError, match="DEEPSEEK_BASE_URL"):
        environment_key.check(dataclasses.replace(base_config, allow_insecure_upstreams=False))


def test_what_a_provider_no_longer_lists_cannot_be_chosen(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    listed, upstream.models = upstream.models, ["deepseek-flash", "deepseek-next"]
    try:
        read_again()
    finally:
        upstream.models = listed
    assert names() == ["deepseek-flash", "deepseek-next"]
    assert model_service.find("deepseek-v4-pro").name == "deepseek-flash", "the default one follows it"
    with reading() as session:
        assert session.scalar(select(ChatModel.listed).where(ChatModel.name == "deepseek-v4-pro")) is False
    read_again()
    assert names() == ["deepseek-flash", "deepseek-v4-pro"]


def test_names_that_cannot_be_shown_are_left_out(app: Flask, upstream: ScriptedUpstream) -> None:
    listed, upstream.models = upstream.models, ["", " ", "a\nb", "x" * 129, "good", "GOOD ", " 模型🙂 "]
    try:
        assert len(names()) == 2
    finally:
        upstream.models = listed


def test_a_provider_that_fails_leaves_the_demonstration_and_a_note(app: Flask, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(503), path="/models")
    change(local_model_path=NO_MODEL)
    assert names() == []
    assert environment().last_error_code == "upstream_overloaded"
    with pytest.raises(Unavailable, match="no_working_key"):
        model_service.find(None)


def test_keys_fail_where_they_are_there_and_open_nothing(app: Flask, upstream: ScriptedUpstream) -> None:
    upstream.keys = set()
    change(local_model_path=NO_MODEL)
    assert model_service.keys_fail(model_service.available())
    with transaction() as session:
        session.get_one(ApiKey, environment_key.ID).disabled = True
    assert not model_service.keys_fail([]), "a key that is switched off is not asked"
    with pytest.raises(Unavailable, match="no_model"):
        model_service.find(None)


def test_keys_that_open_a_model_do_not_fail(app: Flask, upstream: ScriptedUpstream) -> None:
    models = model_service.available()
    assert models
    assert not model_service.keys_fail(models)


def test_a_provider_that_hangs_keeps_nobody_waiting(
    app: Flask, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_service, "PATIENCE_SECONDS", 0.1)
    silent = Paused()
    upstream.script(silent, path="/models")
    change(local_model_path=NO_MODEL)
    assert names() == [], "before the provider says more"
    silent.go_on()
    wait_for_readers()


def test_who_comes_while_the_first_list_is_read_waits_for_it_together(
    app: Flask, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_service, "PATIENCE_SECONDS", 2 * PATIENCE)
    silent = Paused()
    upstream.script(silent, path="/models")
    change(local_model_path=NO_MODEL)
    told: list[list[str]] = []
    people = [threading.Thread(target=lambda: told.append(names())) for _ in range(6)]
    for person in people:
        person.start()
    people[0].join(0.5)
    assert told == [], "nobody goes on before there is a list"
    silent.go_on()
    for person in people:
        person.join(PATIENCE)
    assert told == [[]] * 6
    assert len(upstream.journal) == 1, "one reads it"


def test_nobody_waits_for_a_list_while_there_is_another(
    app: Flask, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert names()
    monkeypatch.setattr(model_service, "RETRY_SECONDS", 0)
    with ScriptedUpstream() as silent:
        answer = Paused()
        silent.script(answer, path="/models", always=True)
        keep_key(keep_provider("Silent", silent.base_url), "silent")
        change()  # as in a fresh process
        for _ in range(3):  # at first use, and whenever it is time again
            assert [bool(told) for told in at_once(4, lambda _: names())] == [True] * 4
        wait_until(lambda: len(silent.journal) > 0)
        answer.go_on()
        wait_for_readers()


def test_ones_own_file_answers_only_while_nothing_else_does_and_is_no_demonstration(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    change(deepseek_api_key=None, local_model_path=tmp_path / "tiny.gguf")
    if not key_service.local_model().available():
        pytest.skip("the local model's engine is not installed")
    first = model_service.available()
    assert [(model.name, model.local, model.demo) for model in first] == [("tiny", True, False)]
    assert prompts.longest_answer(first[0]) == config.current().max_answer_tokens
    request = Request(
        user_id="u", model=first[0], turns=[], thinking=False, channel="chat", request_id="r", address="192.0.2.1"
    )
    assert prompts.body(request, first[0], prefix=False, max_tokens=9).keys() & prompts.DEMO_LIMITS.keys() == set()
    assert not model_service.keys_fail(first)
    assert model_service.available() == first, "its row is made once"
    change(deepseek_api_key="test-key")
    assert [model.local for model in model_service.available()] == [False, False]


def test_a_model_is_found_by_id_or_name_and_the_first_is_the_default(app: Flask, upstream: ScriptedUpstream) -> None:
    first, second = model_service.available()
    assert model_service.find(None) == first
    assert model_service.find(second.id) == second == model_service.find(second.name)
    with pytest.raises(Invalid, match="unknown_model"):
        model_service.find("gpt-2")


def test_a_model_of_a_disabled_key_cannot_be_chosen(app: Flask, upstream: ScriptedUpstream) -> None:
    names()
    change(local_model_path=NO_MODEL)
    with transaction() as session:
        session.get_one(ApiKey, environment_key.ID).disabled = True
    assert names() == []
