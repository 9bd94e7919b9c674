"""A MariaDB of its own, behind a proxy."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from flask_app import config as settings
from flask_app import database, engines
from flask_app.config import Config
from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.runs import run_service
from tests.routes.mariadb.site import Site
from tests.support import mariadb, proxies, storage
from tests.support.mariadb import MariaDB


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    with mariadb.running() as running:
        storage.migrate(running.url)
        yield running


@pytest.fixture
def site(
    app: Flask, base_config: Config, server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """The application with its database behind a proxy."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.2,))
    monkeypatch.setattr(engines, "REPLY_SECONDS", 2)  # more than a busy machine takes to reply
    with proxies.before(server.port) as proxy:
        url = make_url(server.url).set(port=proxy.port).render_as_string(hide_password=False)
        seeds = storage.Seeds(server.url)
        database.connect(url)
        settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
        actor = User(username="founder", username_key="founder", role="member")
        with transaction() as session:
            session.add(actor)
        yield Site(server, proxy, actor, tmp_path / "journal")
        run_service.shutdown()
        seeds.restore()
        database.connect(base_config.database_url)
        settings.install(base_config)
