"""What a group's switch of sharing and its links are after the migration that gives these columns of their own."""

import json
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.storage import alembic_config

ACCESS = {"open": "{}", "closed": '{"sharing": false, "hours": [[0], 480, 960]}', "tokenless": '{"api": false}'}
GROUP = text(
    "INSERT INTO groups (id, name, name_key, created_at, access) VALUES (:id, :id, :id, '2026-01-01', :access)"
)
LINK = text(
    "INSERT INTO shares (id, user_id, conversation_id, digest, token, title, thoughts, content, opened, created_at)"
    " VALUES ('s', 'p', 'c', 'd', 'x', 'a talk', 0, '[\"语\"]', 0, '2026-01-01')"
)


def test_they_stay_closed_and_narrow(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('old') / 'old.db'}"
    config = alembic_config(url)
    command.upgrade(config, "0066")
    engine = create_engine(url, poolclass=NullPool)

    def groups(column: str) -> list[tuple[str, Any]]:
        with engine.begin() as connection:
            query = text(f"SELECT id, {column} FROM groups WHERE id IN ('open', 'closed', 'tokenless') ORDER BY id")
            return [(name, value) for name, value in connection.execute(query)]

    with engine.begin() as connection:
        connection.execute(GROUP, [{"id": name, "access": access} for name, access in ACCESS.items()])
        connection.execute(LINK)
    command.upgrade(config, "0067")
    assert groups("sharing") == [("closed", 0), ("open", 1), ("tokenless", 1)]
    assert dict(groups("access")) == ACCESS, "the version before goes on with it"
    with engine.begin() as connection:
        assert connection.execute(text("SELECT audience, content_bytes FROM shares")).one() == ("people", 7)
        connection.execute(text("UPDATE groups SET sharing = 0, access = '{}' WHERE id = 'open'"))
        connection.execute(text("UPDATE groups SET sharing = 1 WHERE id = 'closed'"))
    command.downgrade(config, "0066")
    told = {name: json.loads(access) for name, access in groups("access")}
    assert told == {"open": {"sharing": False}, "closed": {"hours": [[0], 480, 960]}, "tokenless": {"api": False}}
    engine.dispose()
