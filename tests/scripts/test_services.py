"""The packages that the tests need are asked for where they are missing."""

import subprocess
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


def test_no_server_starts_that_is_installed(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with services.starting_none(policy):
        assert subprocess.run([policy, "redis-server", "start"], check=False).returncode == 101, "it may not"
    assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 0\n")
    with services.starting_none(policy):
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"
