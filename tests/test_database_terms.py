"""What the chosen server itself says of the application's connections."""

import pytest
from sqlalchemy import text

from flask_app import database, engines

# What ends a transaction that a machine without power had begun.
ENDED_BY = {"mariadb": "idle_transaction_timeout", "mysql": "wait_timeout"}


@pytest.mark.usefixtures("app")
def test_nobody_waits_long_for_the_rows_of_the_dead(chosen_database: str) -> None:
    if chosen_database not in ENDED_BY:
        pytest.skip("a file has no connections that outlive their process")
    with database.fetching() as connection:
        asked = text(f"SELECT @@SESSION.{ENDED_BY[chosen_database]}, @@SESSION.innodb_lock_wait_timeout")
        assert connection.execute(asked).one() == (engines.IDLE_SECONDS, engines.ROW_LOCK_SECONDS)


@pytest.mark.usefixtures("app")
def test_each_transaction_reads_what_is_committed(chosen_database: str) -> None:
    if chosen_database not in ENDED_BY:
        pytest.skip("a file has one writer")
    with database.writing() as connection:
        assert connection.scalar(text("SELECT @@SESSION.transaction_isolation")) == "READ-COMMITTED"


@pytest.mark.usefixtures("app")
def test_what_only_reads_takes_no_turn_of_the_servers_for_its_end(chosen_database: str) -> None:
    """Two queries and no COMMIT or ROLLBACK; the first of them asks how many there were."""
    if chosen_database not in ENDED_BY:
        pytest.skip("a file is no server")
    asked = text("SHOW SESSION STATUS WHERE Variable_name IN ('Com_rollback', 'Com_commit')")
    seen = []
    for _ in range(2):
        with database.reading() as session:
            seen.append(session.execute(asked).all())
    assert seen[0] == seen[1]
