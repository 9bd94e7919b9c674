"""Which addresses are confirmed after the migration that knows of such: those that people came in by."""

import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.storage import alembic_config

PEOPLE = {"by mail": "By.Mail@example.org", "typed": "typed@example.org", "without": None, "other": "me@straße.example"}
PERSON = text(
    "INSERT INTO users (id, username, username_key, role, disabled, email, created_at)"
    " VALUES (:id, :id, :id, 'member', 0, :email, '2026-01-01')"
)
CAME_IN = text(
    "INSERT INTO registrations (id, username, address, created_at, user_id, came_in_by)"
    " VALUES (:id, :id, '', '2026-01-01', :id, :email)"
)


def test_whoever_came_in_by_a_link_has_confirmed_theirs(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('old') / 'old.db'}"
    config = alembic_config(url)
    command.upgrade(config, "0070")
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(PERSON, [{"id": name, "email": email} for name, email in PEOPLE.items()])
        came_in = {"by mail": "by.mail@example.org", "typed": None, "other": "me@strasse.example"}  # another's domain
        connection.execute(CAME_IN, [{"id": name, "email": email} for name, email in came_in.items()])
    command.upgrade(config, "0071")
    with engine.begin() as connection:
        kept = connection.execute(text("SELECT id, confirmed_email FROM users")).all()
    assert dict(map(tuple, kept)) == {"by mail": "by.mail@example.org", "typed": None, "without": None, "other": None}
    command.downgrade(config, "0070")
    engine.dispose()
