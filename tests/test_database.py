"""What becomes of connections: a query that was cut off takes its own with it, a machine without power leaves none."""

import gc
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from flask_app import database, engines, pools
from flask_app.models import User
from flask_app.statements import execute
from flask_app.transfer.store import PATIENCE_SECONDS, Store
from tests.support import cut_off, mariadb, storage

ROW = text("UPDATE users SET username = 'changed'")


@pytest.fixture
def url() -> Iterator[str]:
    with mariadb.server() as url:
        storage.migrate(url)
        yield url


@pytest.mark.security("crossed-replies")
def test_killed_queries_leave_their_rows_to_nobody(url: str) -> None:
    cut_off.assert_nobody_got_anothers(cut_off.counts("mariadb", url))


def test_a_careless_pool_would_be_caught(url: str) -> None:
    assert cut_off.counts("mariadb", url, "--careless")["crossed"] > 0


@pytest.fixture
def connected(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(pools, "TRUSTED_SECONDS", 3)  # longer than a busy machine takes from one question to the next
    database.connect(url)
    with database.transaction() as session:
        session.add(User(username="founder", username_key="founder", role="member"))
    yield url
    database.disconnect()


def test_a_connection_that_comes_back_after_the_end_is_closed(tmp_path: Path) -> None:
    """The garbage collector would close it, at some time, with a warning."""
    database.connect(f"sqlite:///{tmp_path / 'ended.db'}")
    late = [database.engine().connect() for _ in range(2)]
    database.disconnect()
    for connection in late:
        connection.close()
    late.clear()
    del connection
    gc.collect()


def setting(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT @@SESSION.{name}")).scalar_one())


def as_mysql_reads(statement: str) -> str:
    """Each of the two servers executes what the other takes for a comment."""
    return re.sub(r"/\*!80000(.*?)\*/", r"\1", re.sub(r"/\*M!.*?\*/", "", statement))


def test_what_a_dead_machine_had_begun_is_taken_back(connected: str) -> None:
    """It says no goodbye, and the server would wait for it for hours."""
    with database.fetching() as connection:
        assert setting(connection, "idle_transaction_timeout") == engines.IDLE_SECONDS
        assert setting(connection, "wait_timeout") > 60 * engines.IDLE_SECONDS, "connections of the pool may idle"


def test_mysql_takes_it_back_by_ending_the_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_TERMS", as_mysql_reads(engines._TERMS))
    database.connect(url)
    with database.fetching() as connection:
        assert setting(connection, "wait_timeout") == engines.IDLE_SECONDS
        assert setting(connection, "idle_transaction_timeout") == 0
    database.disconnect()


def test_an_ended_connection_leaves_no_lock_and_nobody_meets_it(
    connected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = as_mysql_reads(engines._TERMS).replace(f"wait_timeout = {engines.IDLE_SECONDS}", "wait_timeout = 2")
    monkeypatch.setattr(engines, "_TERMS", terms)
    database.connect(connected)
    silent = database.writer().connect()
    silent.execute(ROW)
    database.in_writing(lambda connection: connection.execute(ROW))
    threading.Event().wait(3)
    with database.writing() as connection:  # the same, which has idled for too long in the pool
        assert connection.scalar(text("SELECT username FROM users")) == "changed"
    silent.invalidate()
    silent.close()


def pings() -> int:
    """How often the connection that reads was asked: each counts as one of the session's administrative commands."""
    with database.fetching() as connection:
        row = connection.execute(text("SHOW SESSION STATUS LIKE 'Com_admin_commands'")).one()
        return int(row.Value)


def test_only_a_connection_that_has_rested_is_asked_whether_it_is_there(connected: str) -> None:
    assert connected
    assert (pings(), pings()) == (0, 0)
    threading.Event().wait(pools.TRUSTED_SECONDS + 0.1)
    assert (pings(), pings()) == (1, 1)


def test_once_one_is_lost_the_others_are_asked_however_fresh_they_are(connected: str) -> None:
    assert connected
    assert (pings(), pings()) == (0, 0)
    with pytest.raises(OperationalError), database.writing() as connection:
        connection.execute(text("KILL CONNECTION_ID()"))
    assert (pings(), pings()) == (1, 1)


def test_one_that_is_lost_by_a_statement_of_the_token_path_is_used_no_more(connected: str) -> None:
    assert connected
    assert pings() == 0
    with pytest.raises(OperationalError) as met, database.writing() as connection:
        execute(connection, "KILL CONNECTION_ID()")
    assert met.value.connection_invalidated
    assert pings() == 1, "so fresh as it is"
    with database.writing() as connection:
        assert execute(connection, "SELECT 1").fetchall() == ((1,),)


def test_what_a_statement_of_the_token_path_meets_is_told_in_the_servers_numbers(connected: str) -> None:
    """By them a transaction is tried again."""
    assert connected
    with pytest.raises(ProgrammingError) as met, database.writing() as connection:
        execute(connection, "SELECT nothing FROM nowhere")
    assert met.value.orig is not None
    assert (met.value.orig.args[0], met.value.connection_invalidated) == (1146, False)


def test_a_transaction_costs_the_server_one_end_and_no_more(connected: str) -> None:
    """What was committed is ready for the next as it is."""
    assert connected
    ends = "SHOW SESSION STATUS WHERE Variable_name IN ('Com_commit', 'Com_rollback')"
    seen = []
    for _ in range(3):
        with database.writing() as connection:
            seen.append({name: int(count) for name, count in execute(connection, ends).fetchall()})
    assert [each["Com_commit"] - seen[0]["Com_commit"] for each in seen] == [0, 1, 2]
    assert len({each["Com_rollback"] for each in seen}) == 1


def test_one_that_is_always_ready_is_made_anew_as_others_are(connected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then the server's name may lead to another, and what it keeps for a connection only grows."""
    assert connected
    read, written = list[int](), list[int]()
    for number in range(10):
        if number == 2:
            monkeypatch.setattr(pools, "RECYCLE_SECONDS", 0.5)
            for made in (database.engine(), database.writer()):
                monkeypatch.setattr(made.pool, "_recycle", 0.5)
        with database.fetching() as connection:
            read.append(execute(connection, "SELECT CONNECTION_ID()").fetchall()[0][0])
        with database.writing() as connection:
            written.append(execute(connection, "SELECT CONNECTION_ID()").fetchall()[0][0])
        threading.Event().wait(0.1)
    assert read[0] == read[1] != read[-1]
    assert written[0] == written[1] != written[-1]


def test_one_that_was_lost_while_it_was_ready_is_no_error(connected: str, caplog: pytest.LogCaptureFixture) -> None:
    assert connected
    with database.writing() as connection:
        lost = connection.scalar(text("SELECT CONNECTION_ID()"))
    with database.fetching() as connection:
        connection.execute(text(f"KILL {lost}"))
    threading.Event().wait(pools.TRUSTED_SECONDS + 0.1)
    with database.writing() as connection:
        assert connection.scalar(text("SELECT CONNECTION_ID()")) != lost
    assert caplog.records == []


def test_a_loss_that_is_met_by_asking_has_the_other_engine_ask_too(connected: str) -> None:
    assert connected
    assert pings() == 0
    with database.writing() as connection:
        lost = connection.scalar(text("SELECT CONNECTION_ID()"))
    threading.Event().wait(pools.TRUSTED_SECONDS + 0.1)
    assert pings() == 1
    with database.fetching() as connection:
        connection.execute(text(f"KILL {lost}"))
    with database.writing() as connection:
        assert connection.scalar(text("SELECT CONNECTION_ID()")) != lost, "a dead one was met and made anew"
    assert pings() == 2


@pytest.mark.parametrize("reads", [str, as_mysql_reads], ids=["MariaDB", "MySQL"])
def test_backups_and_restores_may_be_silent_for_longer(
    url: str, monkeypatch: pytest.MonkeyPatch, reads: Callable[[str], str]
) -> None:
    monkeypatch.setattr(engines, "_TERMS", reads(engines._TERMS))
    kept = Store(url)
    with kept, kept.snapshot() as out, kept.filling() as into:
        for connection in (out, into):
            assert setting(connection, "wait_timeout") == PATIENCE_SECONDS
            assert setting(connection, "idle_transaction_timeout") in (0, PATIENCE_SECONDS)
            assert setting(connection, "idle_transaction_timeout") != engines.IDLE_SECONDS


def test_a_row_that_is_held_for_long_is_tried_again(connected: str) -> None:
    """The server says so before it is taken for away, by the application's own setting."""
    holder = database.writer().connect()
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
    assert 3 * engines.ROW_LOCK_SECONDS < engines.REPLY_SECONDS
