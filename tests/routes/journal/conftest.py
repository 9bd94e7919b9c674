"""A journal of its own, and one whose worker was killed."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from flask_app import config as settings
from flask_app import database
from flask_app.config import Config
from flask_app.models import User
from flask_app.services.runs import run_service
from tests.routes.journal.answers import (
    AnswerWithoutDatabase,
    code,
    following,
)
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def folder(app: Flask, base_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The journal, of this test alone."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path / "journal"
    run_service.shutdown()
    settings.install(base_config)


@pytest.fixture
def journalled(folder: Path, member: User, upstream: ScriptedUpstream, database_url: str) -> Path:
    """A worker wrote its journal and was killed: this is the file."""
    upstream.script(AnswerWithoutDatabase())
    file, content = folder, b""
    for event in following(member):
        if code(event) == "not_saved_yet":
            (file,) = folder.glob("*.json")
            content = file.read_bytes()
            database.connect(database_url)
    assert content
    as_if_killed()
    file.write_bytes(content)
    return file
