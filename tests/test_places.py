"""An instance that cannot be used is told in one sentence: which file or folder, whose, and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from flask_app import database
from flask_app.config import Config
from flask_app.errors import ConfigError
from scripts import settings_file

ROOT = Path(__file__).resolve().parent.parent
# Root reads everything; without these it is kept out like anybody else.
KEPT_OUT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """A folder with the two secrets in it."""
    Config.from_environment({"INSTANCE_DIR": str(tmp_path)})
    return tmp_path


def start(instance: Path, *module: str) -> str:
    """What is said where the first thing that reads the settings ends."""
    environ = {
        "PATH": os.environ["PATH"],
        "INSTANCE_DIR": str(instance),
        "HOME": str(instance),
        settings_file.SKIP: "1",
    }
    done = subprocess.run(
        [*KEPT_OUT, sys.executable, *(module or ("-m", "scripts.migrate"))],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


def assert_sentence(said: str, place: Path) -> None:
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1, said
    assert f" {place} (owner: {place.owner()})" in said
    assert "chown" in said


@pytest.mark.parametrize("name", ["secrets.json", "mingchat.db"])
@pytest.mark.parametrize("module", [("-m", "scripts.migrate"), ("-m", "flask", "users", "list")], ids=" ".join)
def test_a_file_that_may_not_be_read(instance: Path, name: str, module: tuple[str, ...]) -> None:
    (instance / name).touch()
    (instance / name).chmod(0)
    assert_sentence(start(instance, *module), instance / name)


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    said = start(tmp_path)
    tmp_path.chmod(0o700)
    assert_sentence(said, tmp_path)


def test_a_database_that_is_none(instance: Path) -> None:
    file = instance / "mingchat.db"
    file.write_text("this is a letter, and no database")
    said = start(instance)
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1
    assert f"{file} (owner: {file.owner()}) is not an SQLite database: " in said
    assert file.read_text().startswith("this is"), "it is left as it was"


def test_an_empty_file_becomes_a_database(instance: Path) -> None:
    (instance / "mingchat.db").touch()
    assert Config.from_environment({"INSTANCE_DIR": str(instance)}).database_url.endswith("mingchat.db")


def test_a_database_elsewhere_is_looked_at_too(instance: Path) -> None:
    file = instance / "other.db"
    file.write_text("no database")
    with pytest.raises(ConfigError, match=r"other\.db .* is not an SQLite database"):
        Config.from_environment({"INSTANCE_DIR": str(instance), "DATABASE_URL": f"sqlite:///{file}"})


def test_a_command_before_the_first_start_says_what_comes_first(app: Flask, tmp_path: Path) -> None:
    database.connect(f"sqlite:///{tmp_path / 'empty.db'}")
    result = app.test_cli_runner().invoke(args=["users", "list"])
    assert result.exit_code == 1
    assert "make run" in result.output
    assert "no such table" not in result.output
