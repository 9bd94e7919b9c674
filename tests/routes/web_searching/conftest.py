import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from flask_app import config as settings
from flask_app.config import Config
from flask_app.services.runs import run_service
from flask_app.services.web_search import lookup


@pytest.fixture
def folder(app: Flask, base_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The journal, of this test alone."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    monkeypatch.setattr(lookup, "SAVE_SECONDS", 0.1)
    settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path / "journal"
    run_service.shutdown()
    settings.install(base_config)
