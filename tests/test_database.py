"""What becomes of connections: a query that was cut off takes its own with it, a machine without power leaves none."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from flask_app import database
from flask_app.models import User
from tests.support import cut_off, mariadb, storage

ROW = text("UPDATE users SET username = 'changed'")


@pytest.fixture
def url() -> Iterator[str]:
    with mariadb.server() as url:
        storage.migrate(url)
        yield url


def test_killed_queries_leave_their_rows_to_nobody(url: str) -> None:
    cut_off.assert_nobody_got_anothers(cut_off.counts("mariadb", url))


def test_a_careless_pool_would_be_caught(url: str) -> None:
    assert cut_off.counts("mariadb", url, "--careless")["crossed"] > 0


@pytest.fixture
def connected(url: str) -> Iterator[str]:
    database.connect(url)
    with database.transaction() as session:
        session.add(User(username="founder", username_key="founder", role="member"))
    yield url
    database.disconnect()


def setting(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT @@SESSION.{name}")).scalar_one())


def test_what_a_dead_machine_had_begun_is_taken_back(connected: str) -> None:
    """It says no goodbye, and the server would wait for it for hours."""
    with database.fetching() as connection:
        assert setting(connection, "idle_transaction_timeout") == database.IDLE_SECONDS


def test_a_row_that_is_held_for_long_is_tried_again(connected: str) -> None:
    """The server says so before it is taken for away, by the application's own setting."""
    holder = database.engine().connect()
    holder.execute(ROW)
    tries: list[int] = []

    def work(connection: Connection) -> None:
        tries.append(len(tries))
        if len(tries) == 2:
            holder.rollback()
        connection.execute(ROW)

    database.in_writing(work)
    holder.close()
    assert tries == [0, 1]


def test_three_waits_for_a_row_are_over_before_the_server_counts_as_away() -> None:
    assert 3 * database.ROW_LOCK_SECONDS < database.REPLY_SECONDS
