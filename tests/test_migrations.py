"""Alembic is the only source of tables: what it makes is what the models say, and it goes back as well."""

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from flask_app.database import Base
from tests.support.storage import alembic_config


def test_the_migrated_database_is_what_the_models_say(database_url: str) -> None:
    command.check(alembic_config(database_url))
    engine = create_engine(database_url, poolclass=NullPool)
    assert set(inspect(engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    engine.dispose()


def test_migrations_go_back_to_nothing_and_forth_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('migrations') / 'empty.db'}"
    config = alembic_config(url)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    engine = create_engine(url, poolclass=NullPool)
    assert inspect(engine).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
    command.check(config)
    engine.dispose()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    command.upgrade(alembic_config(database_url), "head")
    command.check(alembic_config(database_url))
