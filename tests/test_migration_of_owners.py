"""Who owns the site after the migration that knows owners."""

from pathlib import Path

from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.storage import alembic_config


def test_the_oldest_working_administrator_owns_the_site(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    config = alembic_config(url)
    command.upgrade(config, "0052")
    engine = create_engine(url, poolclass=NullPool)
    person = text(
        "INSERT INTO users (id, username, username_key, role, disabled, created_at)"
        " VALUES (:name, :name, :name, :role, :disabled, :at)"
    )
    people = [
        ("left", "admin", 1, "2026-01-01"),
        ("member", "member", 0, "2026-01-02"),
        ("first", "admin", 0, "2026-01-03"),
        ("second", "admin", 0, "2026-01-04"),
    ]
    with engine.begin() as connection:
        rows = [dict(zip(("name", "role", "disabled", "at"), each, strict=True)) for each in people]
        connection.execute(person, rows)
    command.upgrade(config, "0053")
    with engine.begin() as connection:
        connection.execute(person, [{"name": "later", "role": "admin", "disabled": 0, "at": "2026-01-05"}])
        owners = connection.execute(text("SELECT username FROM users WHERE is_owner = 1")).scalars().all()
    assert owners == ["first"]
    command.downgrade(config, "0052")
    engine.dispose()
