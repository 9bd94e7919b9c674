"""What a backup finds in the database that it is made of, and a restore in the one that it goes into."""

from pathlib import Path

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import delete, text, update

from flask_app import database
from flask_app.database import transaction
from flask_app.models import ApiKey, Setting, TokenUsage, User
from flask_app.services.warnings import webhook_service
from tests.backups.machines import run, use
from tests.support import databases
from tests.support.storage import alembic_config

OLD_PERSON = text(
    "INSERT INTO users (id, username, username_key, role, group_id, disabled, theme, created_at) VALUES"
    " (:id, :name, :name, 'member', '00000000000000000000000000', 0, 'dark', '2026-01-01 00:00:00.000000')"
)


def test_a_database_in_use_is_refused_unless_told_otherwise(
    site: Flask, file: Path, database_url: str, tmp_path: Path
) -> None:
    with databases.another(database_url, tmp_path) as url:
        use(url, tmp_path, made_secrets=())
        command.upgrade(alembic_config(url), "head")
        with transaction() as session:
            session.add(User(username="here", username_key="here"))
        before = databases.rows_of(url)
        refused = run(site, "restore", file)
        assert (refused.exit_code, "in use already" in refused.output) == (1, True)
        assert databases.rows_of(url) == before
        assert run(site, "restore", "--replace", "-", content=file.read_bytes()).exit_code == 2
        result = run(site, "restore", "--replace", file)
        assert result.exit_code == 0, result.output
        assert {row[1] for row in databases.rows_of(url)["users"]} == {"amina", "小明🙂"}
        aside = list(tmp_path.glob("*.db.before-*"))
        assert len(aside) == (1 if url.startswith("sqlite") else 0)
        if aside:
            assert databases.rows_of(f"sqlite:///{aside[0]}") == before
        database.disconnect()


def test_a_freshly_migrated_database_is_as_good_as_an_empty_one(site: Flask, file: Path, elsewhere: str) -> None:
    command.upgrade(alembic_config(elsewhere), "head")
    result = run(site, "restore", "-", content=file.read_bytes())
    assert result.exit_code == 0, result.output
    assert len(databases.rows_of(elsewhere)["users"]) == 2


def test_an_older_schema_is_brought_up(site: Flask, elsewhere: str, database_url: str, tmp_path: Path) -> None:
    with databases.another(database_url, tmp_path) as old:
        command.upgrade(alembic_config(old), "0010")
        use(old, tmp_path)
        with transaction() as session:
            for number in range(3):
                values = {"id": f"u{number}", "name": f"old{number}"}
                session.execute(OLD_PERSON, values)
        assert run(site, "backup", tmp_path / "old").exit_code == 0
        use(elsewhere, tmp_path / "instance")
        result = run(site, "restore", tmp_path / "old")
        assert result.exit_code == 0, result.output
        assert "schema 0010" in result.output
        command.check(alembic_config(elsewhere))
        assert len(databases.rows_of(elsewhere)["users"]) == 3


def test_a_database_without_tables_is_not_backed_up(site: Flask, elsewhere: str, tmp_path: Path) -> None:
    result = run(site, "backup", tmp_path / "b")
    assert (result.exit_code, "holds no tables yet" in result.output) == (1, True)
    assert not (tmp_path / "b").exists()


@pytest.mark.unsound_ledger("changes a cost")
def test_differences_of_before_are_told(site: Flask, elsewhere: str, database_url: str, tmp_path: Path) -> None:
    use(database_url, tmp_path)
    with transaction() as session:
        session.execute(update(TokenUsage).where(TokenUsage.currency == "USD").values(cost_micros=1))
    assert run(site, "backup", tmp_path / "b").exit_code == 0
    use(elsewhere, tmp_path / "instance")
    result = run(site, "restore", tmp_path / "b")
    assert (result.exit_code, "They were in what came over already." in result.output) == (1, True)
    assert len(databases.rows_of(elsewhere)["token_usage"]) == 8


def test_what_was_damaged_before_stops_nothing(site: Flask, elsewhere: str, database_url: str, tmp_path: Path) -> None:
    use(database_url, tmp_path)
    with transaction() as session:
        session.execute(update(ApiKey).values(secret=b"damaged"))
        session.execute(delete(Setting).where(Setting.name == webhook_service.NAME))
    assert run(site, "backup", tmp_path / "b").exit_code == 0
    use(elsewhere, tmp_path / "instance", made_secrets=())
    result = run(site, "restore", tmp_path / "b")
    assert (result.exit_code, "1 secrets cannot be opened with the backup's key either." in result.output) == (0, True)
