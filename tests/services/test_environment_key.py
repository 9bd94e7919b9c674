"""DEEPSEEK_API_KEY: what cannot be a key stops the start, by the rule of the administrator's page."""

import dataclasses
from pathlib import Path

import pytest
from flask import Flask

from flask_app import create_app
from flask_app.config import Config
from flask_app.errors import ConfigError, Invalid
from flask_app.services.audit.audit_service import Actor
from flask_app.services.providers import environment_key, key_admin_service
from flask_app.services.providers.key_admin_service import NewKey

IMPOSSIBLE = ["x", "canary7", "sk-canary…", "sk-canary key", "sk-canary\tkey", "sk-canary\nkey", "sk-" + "canary" * 100]


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_what_cannot_be_a_key_stops_the_start_and_is_not_repeated(base_config: Config, value: str) -> None:
    with pytest.raises(ConfigError, match=r"^DEEPSEEK_API_KEY ") as complaint:
        create_app(dataclasses.replace(base_config, deepseek_api_key=value))
    assert value not in str(complaint.value)
    assert "canary" not in str(complaint.value)


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_the_page_refuses_the_same(app: Flask, value: str) -> None:
    with pytest.raises(Invalid, match="bad_secret"):
        key_admin_service.add(Actor(user=None), NewKey(label="x", secret=value))


@pytest.mark.parametrize("value", ["8letters", "sk-" + "a" * 509, "~!@#$%^&*()"])
def test_whatever_may_be_a_key_starts(base_config: Config, value: str) -> None:
    environment_key.check(dataclasses.replace(base_config, deepseek_api_key=value))


@pytest.mark.parametrize("address", ["https://canary@api.example.com", "https://api.example.com?key=canary", "canary"])
def test_an_address_that_cannot_be_used_is_not_repeated(base_config: Config, address: str) -> None:
    with pytest.raises(ConfigError, match=r"^DEEPSEEK_BASE_URL ") as complaint:
        create_app(dataclasses.replace(base_config, deepseek_base_url=address))
    assert "canary" not in str(complaint.value)


@pytest.mark.parametrize("currency", ["YUAN", "元", "U$D", "RMB", ""])
def test_what_is_no_currency_stops_the_start(base_config: Config, currency: str) -> None:
    with pytest.raises(ConfigError, match=r"^DEEPSEEK_CURRENCY "):
        create_app(dataclasses.replace(base_config, deepseek_currency=currency))


def test_the_currency_is_read_in_capitals(tmp_path: Path) -> None:
    assert Config.from_environment({"INSTANCE_DIR": str(tmp_path)}).deepseek_currency == "CNY"
    read = Config.from_environment({"INSTANCE_DIR": str(tmp_path), "DEEPSEEK_CURRENCY": "usd"})
    assert read.deepseek_currency == "USD"


def test_a_file_with_an_impossible_key_names_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("canary\n")
    config = Config.from_environment({"INSTANCE_DIR": str(tmp_path), "DEEPSEEK_API_KEY_FILE": str(file)})
    with pytest.raises(ConfigError, match=r"^DEEPSEEK_API_KEY ") as complaint:
        create_app(config)
    assert "canary" not in str(complaint.value)
