"""SQLite's files, in a folder that everybody may look into."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from flask_app.transfer.store import Store
from tests.support.storage import alembic_config


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """Where a database will be."""
    tmp_path.chmod(0o755)
    before = os.umask(0o022)
    yield tmp_path / "mingchat.db"
    os.umask(before)


def modes(file: Path) -> dict[str, str]:
    return {each.name: oct(each.stat().st_mode & 0o777) for each in file.parent.glob(f"{file.name}*")}


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
def test_nobody_else_may_read_them(file: Path) -> None:
    url = f"sqlite:///{file}"
    command.upgrade(alembic_config(url), "head")
    assert modes(file) == {"mingchat.db": "0o600"}
    with Store(url) as store, store.filling() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        assert modes(file) == {"mingchat.db": "0o600", "mingchat.db-wal": "0o600", "mingchat.db-shm": "0o600"}


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
def test_those_of_a_version_before_become_so(file: Path) -> None:
    url = f"sqlite:///{file}"
    command.upgrade(alembic_config(url), "head")
    with Store(url) as first, first.filling() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        for each in file.parent.iterdir():
            each.chmod(0o644)
        with Store(url) as second:
            assert second.revision()
            assert set(modes(file).values()) == {"0o600"}
