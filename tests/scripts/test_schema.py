"""The cheap look at the schema must agree with Alembic, and doubt must mean: migrate."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from scripts import migrate as migration
from scripts import schema, settings_file
from tests.support.storage import alembic_config, migrate


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTANCE_DIR", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_URL_FILE", raising=False)
    return tmp_path


def test_the_newest_file_is_alembics_head() -> None:
    heads = ScriptDirectory.from_config(alembic_config("sqlite://")).get_heads()
    assert heads == [schema.newest()]


def test_a_migrated_database_is_current(instance: Path) -> None:
    migrate(_url(instance))
    assert schema.is_current()


def test_a_database_that_was_not_made_is_not_served(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"no tables yet.*scripts\.migrate"):
        schema.check()
    migrate(_url(instance))
    schema.check()
    monkeypatch.setenv("DATABASE_URL", "mysql+pymysql://nobody@127.0.0.1:1/nothing")
    schema.check()  # a server's is asked with the first request


def test_a_database_left_by_an_older_version_is_not(instance: Path) -> None:
    migrate(_url(instance))
    command.downgrade(alembic_config(_url(instance)), "-1")
    assert not schema.is_current()


def test_one_left_by_a_newer_version_stays_as_it_is(
    instance: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The version before goes on with it: migrations only add."""
    monkeypatch.setenv(settings_file.SKIP, "1")
    migrate(_url(instance))
    with closing(sqlite3.connect(instance / "mingchat.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        before = list(connection.iterdump())
    migration.main()
    assert "9999, of a newer version" in capsys.readouterr().err
    with closing(sqlite3.connect(instance / "mingchat.db")) as connection:
        assert list(connection.iterdump()) == before


def test_neither_an_absent_nor_an_empty_database_is(instance: Path) -> None:
    assert not schema.is_current()
    with closing(sqlite3.connect(instance / "mingchat.db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    assert not schema.is_current()


def test_asking_makes_no_database(instance: Path) -> None:
    assert not schema.is_current()
    assert list(instance.iterdir()) == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_URL_FILE"])
def test_a_database_elsewhere_is_left_to_alembic(instance: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    migrate(_url(instance))
    monkeypatch.setenv(name, "/somewhere")
    assert not schema.is_current()


def _url(instance: Path) -> str:
    return f"sqlite:///{instance / 'mingchat.db'}"
