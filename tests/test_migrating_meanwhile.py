"""What a migration copies can be written meanwhile, by the version that still serves: neither waits for the other."""

import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from flask_app.services.ledger import spending
from tests.support import mariadb
from tests.support.brokers import wait_until
from tests.support.storage import alembic_config

DAY = date(2026, 11, 25)
TERMS = {"init_command": "SET SESSION innodb_lock_wait_timeout = 1"}


@pytest.fixture
def server(chosen_database: str) -> Iterator[Engine]:
    """A database of before the tokens' months, with two tokens that were used."""
    if chosen_database == "sqlite":
        pytest.skip("it has one writer")
    with mariadb.server() as url:
        command.upgrade(alembic_config(url), "0034")
        engine = create_engine(url, poolclass=NullPool, isolation_level="READ COMMITTED", connect_args=TERMS)
        with engine.begin() as connection:
            for token in ("one", "two"):
                use(connection, token)
        yield engine


def use(connection: Connection, token: str) -> None:
    row: dict[str, Any] = {"scope": "token", "scope_id": token, "unit": "tokens", "day": DAY, "amount": 100}
    spending.add_rows(connection, spending.spent, [row])


def test_a_settlement_that_is_open_holds_up_no_migration_and_none_waits_for_one(server: Engine) -> None:
    config = alembic_config(server.url.render_as_string(hide_password=False))
    migration = threading.Thread(target=command.upgrade, args=(config, "0035"), daemon=True)
    with server.connect() as settlement, server.connect() as revision:
        settlement.begin()
        use(settlement, "one")
        revision.execute(text("SELECT version_num FROM alembic_version FOR UPDATE"))
        migration.start()
        wait_until(lambda: has_copied(server))
        with server.begin() as other:
            use(other, "two")
        settlement.commit()
    migration.join()
    with server.connect() as connection:
        copied = connection.execute(text("SELECT token_id, amount FROM spent_monthly ORDER BY token_id")).all()
        counted = connection.execute(text("SELECT scope_id, amount FROM spent_daily ORDER BY scope_id")).all()
    assert copied == [("one", 100), ("two", 100)], "what is settled meanwhile is for `flask usage rebuild`"
    assert counted == [("one", 200), ("two", 200)]


def has_copied(server: Engine) -> bool:
    """Only its new number is missing, and nothing of it is committed."""
    writes_its_number = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE alembic_version%'"
    with server.connect() as connection:
        return bool(connection.scalar(text(writes_its_number)))
