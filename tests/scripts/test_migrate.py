"""The migration as a command: one at a time, and what is said where it breaks off."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from scripts import schema, settings_file
from tests.support import mariadb
from tests.support.ports import free_port
from tests.support.storage import ROOT, alembic_config

BEFORE, BROKEN = "0074", "0075_ended_processes"


@pytest.fixture
def url(chosen_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database."""
    if chosen_database == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('migrate') / 'mingchat.db'}"
    else:
        with mariadb.server() as empty:
            yield empty


def begun(url: str, folder: Path, *command: str) -> "subprocess.Popen[str]":
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": url, settings_file.SKIP: "1"}
    environ |= {
        "SECRET_KEY": "the key that these migrations alone know",
        "ENCRYPTION_KEY": "another key that these migrations know",
        "INSTANCE_DIR": str(folder),
    }
    run = [sys.executable, "-m", *(command or ("scripts.migrate",))]
    return subprocess.Popen(run, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def done(url: str, folder: Path, *command: str) -> tuple[int, str]:
    process = begun(url, folder, *command)
    _, said = process.communicate()
    return process.returncode, said


def version(url: str) -> str:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def test_of_two_starts_at_once_one_migrates(url: str, tmp_path: Path) -> None:
    processes = [begun(url, tmp_path) for _ in range(2)]
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert version(url) == schema.newest()


def test_a_migration_that_breaks_off_is_named_with_its_reason_and_a_backup_mends_it(url: str, tmp_path: Path) -> None:
    command.upgrade(alembic_config(url), "head")
    archive = str(tmp_path / "before")
    assert done(url, tmp_path, "flask", "backup", archive)[0] == 0
    command.downgrade(alembic_config(url), BEFORE)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE server_processes ADD COLUMN ended_at DATETIME"))
    for _ in range(2):
        status, said = done(url, tmp_path)
        assert status == 1
        assert said.startswith(f"The migration {BROKEN} broke off: ")
        assert "uplicate column name" in said
        assert "docs/operations.md" in said
        assert "without what came since" in said
    assert version(url) == BEFORE
    status, said = done(url, tmp_path, "flask", "restore", "--replace", archive)
    assert status == 0, said
    assert version(url) == schema.newest(), "as the document says"


def test_one_that_breaks_off_before_it_did_anything_is_begun_again_once_its_reason_is_mended(
    url: str, tmp_path: Path
) -> None:
    command.upgrade(alembic_config(url), BEFORE)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE server_processes RENAME TO elsewhere"))
    status, said = done(url, tmp_path)
    assert status == 1
    assert said.startswith(f"The migration {BROKEN} broke off: ")
    assert "Mend that and start again." in said
    assert version(url) == BEFORE
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO server_processes"))
    status, said = done(url, tmp_path)
    assert status == 0, said
    assert version(url) == schema.newest()


def test_only_a_server_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    status, said = done(f"mysql+pymysql://nobody:nothing@127.0.0.1:{free_port()}/nothing", tmp_path)
    assert status == 1
    assert said.startswith("The database does not answer: (2003, ")
