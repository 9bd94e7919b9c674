"""The packages that the tests need are asked for where they are missing."""

from pathlib import Path

import pytest

from scripts import test_services as services


def test_a_folder_of_the_repository_is_not_taken_for_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository has an ``nginx/`` of its own, and the script runs beside it."""
    (tmp_path / "nginx").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shutil.which", lambda _command, path=None: None)

    assert services.missing({"nginx": "nginx"}) == ["nginx"]
    assert services.missing({str(tmp_path / "nginx"): "nginx"}) == []
