"""What becomes of connections: a query that was cut off takes its own with it, a machine without power leaves none."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from flask_app import database
from tests.support import cut_off, mariadb, storage


@pytest.fixture
def url() -> Iterator[str]:
    with mariadb.server() as url:
        storage.migrate(url)
        yield url


def test_killed_queries_leave_their_rows_to_nobody(url: str) -> None:
    cut_off.assert_nobody_got_anothers(cut_off.counts("mariadb", url))


def test_a_careless_pool_would_be_caught(url: str) -> None:
    assert cut_off.counts("mariadb", url, "--careless")["crossed"] > 0


def test_what_a_dead_machine_had_begun_is_taken_back(url: str) -> None:
    """It says no goodbye, and the server would wait for it for hours."""
    database.connect(url)
    try:
        with database.fetching() as connection:
            idle = connection.scalar(text("SELECT @@idle_transaction_timeout"))
    finally:
        database.disconnect()
    assert idle == database.IDLE_SECONDS
