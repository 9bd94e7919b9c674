"""The line for cron that the guides give for Docker Compose, with Docker stood in for."""

import os
import re
import stat
import time
from pathlib import Path

import pytest

from tests.support.scripted_server import ROOT, ScriptedServer

GUIDES = ("operations.md", "运维指南.md")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


@pytest.fixture
def server(tmp_path: Path) -> ScriptedServer:
    return ScriptedServer(tmp_path)


@pytest.fixture
def last_months(folder: Path) -> Path:
    file = folder / "old.backup"
    file.touch()
    os.utime(file, times=(time.time() - 40 * 86400,) * 2)
    return file


def by_night(server: ScriptedServer, folder: Path, guide: str) -> int:
    """Run it as cron does; the exit status."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    (line,) = re.findall(r"^15 3 \* \* \* (.*docker compose.*)$", text, re.M)
    here = line.replace("\\%", "%").replace("/srv/mingchat", str(server.folder))
    return server.run(["-c", here.replace("/var/backups/mingchat", str(folder))]).returncode


@pytest.mark.parametrize("guide", GUIDES)
def test_a_backup_is_made_and_old_ones_go(server: ScriptedServer, folder: Path, last_months: Path, guide: str) -> None:
    server.stands_in_for("docker", "echo whole")
    assert by_night(server, folder, guide) == 0
    (made,) = folder.iterdir()
    assert made.read_text() == "whole\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d\.backup", made.name)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


@pytest.mark.parametrize("guide", GUIDES)
def test_what_breaks_off_is_no_backup_and_old_ones_stay(
    server: ScriptedServer, folder: Path, last_months: Path, guide: str
) -> None:
    server.stands_in_for("docker", "echo half; exit 1")
    assert by_night(server, folder, guide) != 0
    assert [file.name for file in folder.glob("*.backup")] == [last_months.name]
