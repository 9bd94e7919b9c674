"""Providers are reached by the settings alone: no application, no database."""

import dataclasses
from collections.abc import Iterator

import pytest

from flask_app import config
from flask_app.config import Config
from tests.support import peers


@pytest.fixture(scope="session")
def plain_config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return Config.from_environment({"INSTANCE_DIR": str(tmp_path_factory.mktemp("settings"))})


@pytest.fixture(autouse=True)
def installed(plain_config: Config) -> None:
    config.install(dataclasses.replace(plain_config))


@pytest.fixture(autouse=True)
def _connections_are_closed() -> Iterator[None]:
    yield
    peers.close_all()
