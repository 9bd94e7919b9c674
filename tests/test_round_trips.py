"""What is sent to a server together: done in its order, in one round trip, and to the end or not at all."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pymysql.connections import MAX_PACKET_LEN  # type: ignore[import-untyped]
from sqlalchemy import Connection, Integer, String, bindparam, column, func, insert, select, table, text, update
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import IntegrityError, OperationalError

from flask_app import database, round_trips
from flask_app.compiled import Literals
from flask_app.statements import Act, Missed, Prepared, Query, execute, look_ahead, once, run_together
from tests.support import mariadb
from tests.support.brokers import wait_until
from tests.support.storage import counted_statements

WAITING = "SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
WORDS = "Zoë's 100 % 明聊 🀄 \\ %s"
_kept = table("kept", column("id", Integer), column("word", String), column("amount", Integer))
_other = table("other", column("id", Integer))
ADD = Prepared(insert(_kept).values(id=bindparam("id"), word=bindparam("word"), amount=bindparam("amount")))
_counted = mysql.insert(_kept).values(id=bindparam("id"), word=bindparam("word"), amount=bindparam("amount"))
COUNT = Prepared(_counted.on_duplicate_key_update(amount=_kept.c.amount + _counted.inserted.amount))
ADD_OTHER = Prepared(insert(_other).values(id=bindparam("id")))
RENAME = Prepared(update(_kept).where(_kept.c.id == bindparam("which")).values(word=bindparam("word")))
MEASURE = Prepared(
    update(_kept).where(_kept.c.id == bindparam("which")).values(amount=func.char_length(bindparam("measured")))
)


@pytest.fixture(autouse=True)
def connected() -> Iterator[None]:
    with mariadb.server() as url:
        database.connect(url)
        with database.writing() as connection:
            for made in (
                "CREATE TABLE kept (id INTEGER PRIMARY KEY, word TEXT, amount INTEGER) CHARACTER SET utf8mb4",
                "CREATE TABLE other (id INTEGER PRIMARY KEY)",
            ):
                execute(connection, made)
        yield
        database.disconnect()


def row(number: int, word: str = WORDS, amount: int = 1) -> dict[str, Any]:
    return {"id": number, "word": word, "amount": amount}


def kept() -> list[Any]:
    with database.fetching() as connection:
        return [tuple(each) for each in execute(connection, "SELECT id, word, amount FROM kept ORDER BY id").fetchall()]


def asked(connection: Connection) -> int:
    """How many commands the server has had of the connection, this one not among them."""
    [(_, count)] = execute(connection, "SHOW SESSION STATUS LIKE 'Questions'").fetchall()
    return int(count) - 1


def test_all_is_done_in_its_order_with_whatever_words() -> None:
    with database.writing() as connection:
        run_together(
            connection,
            Act(ADD, [row(1), row(2, "two")]),
            Act(COUNT, [row(2, "never", 5), row(3, "three", 7)]),
            Act(RENAME, [{"which": 2, "word": "later"}, {"which": 3, "word": WORDS}]),
            Act(ADD_OTHER, [{"id": 9}]),
        )
    assert kept() == [(1, WORDS, 1), (2, "later", 6), (3, WORDS, 7)]


def test_an_insert_is_one_statement_for_all_its_rows_and_others_are_one_for_each() -> None:
    with database.writing() as connection:
        before = asked(connection)
        run_together(connection, Act(ADD, [row(1), row(2)]), Act(RENAME, [{"which": 1, "word": "a"}] * 3))
        assert asked(connection) - before == 1 + 4


def test_each_hears_to_how_many_rows_it_was_done() -> None:
    with database.writing() as connection:
        heard: list[int] = []
        renames = [{"which": which, "word": "a"} for which in (1, 2, 9)]
        run_together(connection, Act(ADD, [row(1), row(2)], heard.append), Act(RENAME, renames, heard.append))
        run_together(connection, Act(RENAME, renames[:1], heard.append), Act(ADD_OTHER, [{"id": 1}]))
        run_together(connection)
    assert heard == [2, 2, 1], "also where it is what it was"


def test_one_that_was_meant_for_a_row_that_is_not_there_is_told_once_all_are_done() -> None:
    with pytest.raises(Missed), database.writing() as connection:
        run_together(connection, Act(RENAME, [{"which": 1, "word": "a"}], once), Act(ADD, [row(1)]))
    assert kept() == [], "so nothing is kept"
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1)]), Act(RENAME, [{"which": 1, "word": "a"}], once))
    assert kept() == [(1, "a", 1)]


def test_values_are_worded_as_the_driver_words_them_whatever_was_equal_to_them_before() -> None:
    values = [1, True, 1.0, "1", Decimal(1), 0, False, "", None, WORDS, b"1", date(2026, 12, 2), "\udc80"]
    with database.writing() as connection:
        driver: Any = connection.connection.dbapi_connection
        mogrify = driver.cursor().mogrify
        literals = Literals(mogrify)
        for _ in range(2):
            for value in values:
                assert literals.of({"a": value}) == {"a": mogrify("%s", (value,))}


def test_the_connection_can_be_used_on_as_ever() -> None:
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(number) for number in range(100)]))
        assert execute(connection, "SELECT count(*) FROM kept").fetchall() == ((100,),)
        assert connection.execute(text("SELECT max(id) FROM kept")).scalar_one() == 99
        run_together(connection, Act(ADD_OTHER, [{"id": 1}]))


def test_where_one_fails_it_is_told_and_nothing_is_kept() -> None:
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1)]))
    with pytest.raises(IntegrityError) as met, database.writing() as connection:
        run_together(connection, Act(ADD, [row(2)]), Act(ADD, [row(1)]), Act(ADD, [row(3)]), Act(ADD, [row(2)]))
    assert met.value.orig is not None
    assert met.value.orig.args[0] == 1062
    assert "for key 'PRIMARY'" in str(met.value.orig)
    assert "'1'" in str(met.value.orig), "the first of two"
    assert [number for number, *_ in kept()] == [1]


def test_replies_behind_a_failure_are_nobody_elses() -> None:
    with database.writing() as connection:
        with pytest.raises(IntegrityError):
            run_together(connection, Act(ADD, [row(1)]), Act(ADD, [row(1)]), Act(ADD, [row(2)]), Act(ADD, [row(3)]))
        assert execute(connection, "SELECT 'mine'").fetchall() == (("mine",),)
        connection.rollback()


def test_a_connection_that_is_lost_on_the_way_is_used_no_more() -> None:
    def write(connection: Connection) -> None:
        mine = execute(connection, "SELECT CONNECTION_ID()").fetchall()[0][0]
        with database.fetching() as other:
            execute(other, f"KILL {mine}")
        run_together(connection, Act(ADD, [row(1)]), Act(ADD, [row(2)]))

    with pytest.raises(OperationalError) as met:
        database.in_writing(write)
    assert met.value.connection_invalidated
    assert kept() == []


WORD = Query(select(_kept.c.word).where(_kept.c.id == bindparam("which")))
LOCKED = Query(select(_kept.c.amount).where(_kept.c.id == bindparam("which")).with_for_update())


def test_what_was_looked_for_ahead_is_found_once_where_it_is_asked_for() -> None:
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1, "one"), row(2, WORDS)]))
    with database.writing() as connection:
        look_ahead(connection, (WORD, {"which": 1}), (WORD, {"which": 2}), (WORD, {"which": 3}))
        before = asked(connection)
        assert WORD.value(connection, {"which": 2}) == WORDS
        assert WORD.rows(connection, {"which": 3}) == []
        assert WORD.value(connection, {"which": 1}) == "one"
        assert asked(connection) - before == 1, "the last look alone"
        execute(connection, "UPDATE kept SET word = 'other' WHERE id = 1")
        assert WORD.value(connection, {"which": 1}) == "other"


def test_nothing_that_was_looked_for_outlives_its_transaction() -> None:
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1, "one")]))
        mine = execute(connection, "SELECT CONNECTION_ID()").fetchall()
    with database.writing() as connection:
        look_ahead(connection, (WORD, {"which": 1}))
    with database.writing() as connection:
        execute(connection, "UPDATE kept SET word = 'other'")
    with database.writing() as connection:
        assert execute(connection, "SELECT CONNECTION_ID()").fetchall() == mine
        assert WORD.value(connection, {"which": 1}) == "other"


def test_what_stands_behind_a_lock_is_read_once_that_is_had() -> None:
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1, "one")]))
    found: list[Any] = []

    def look() -> None:
        with database.writing() as connection:
            look_ahead(connection, (LOCKED, {"which": 1}), (WORD, {"which": 1}))
            found.extend([LOCKED.value(connection, {"which": 1}), WORD.value(connection, {"which": 1})])

    with database.writing() as connection:
        execute(connection, "UPDATE kept SET word = 'later', amount = 7")
        waiting = threading.Thread(target=look)
        waiting.start()
        with database.fetching() as other:
            wait_until(lambda: len(execute(other, WAITING).fetchall()) == 1)
    waiting.join(30)
    assert found == [7, "later"]


def test_a_question_that_fails_leaves_nothing_to_be_found() -> None:
    with database.writing() as connection:
        with pytest.raises(OperationalError):
            look_ahead(connection, (Query(select(column("nothing")).select_from(_other)), {}), (WORD, {"which": 1}))
        execute(connection, "INSERT INTO kept VALUES (1, 'one', 1)")
        assert WORD.value(connection, {"which": 1}) == "one"


def test_who_listens_for_statements_hears_of_each() -> None:
    with counted_statements() as statements, database.writing() as connection:
        run_together(connection, Act(ADD, [row(1), row(2)]), Act(ADD_OTHER, [{"id": 1}]))
    assert len([each for each in statements if each.startswith("INSERT")]) == 2
    assert len(kept()) == 2


def test_the_turn_of_a_lost_connection_ends_though_others_have_its_place_in_the_pool() -> None:
    """They are faster where threads are the system's: what the pool keeps with the place is then theirs."""

    def lose(connection: Connection, others: ExitStack) -> None:
        mine = execute(connection, "SELECT CONNECTION_ID()").fetchall()[0][0]
        with database.fetching() as other:
            execute(other, f"KILL {mine}")
        try:
            run_together(connection, Act(ADD, [row(1)]), is_last=True)
        finally:
            others.enter_context(database.writer().connect())

    with pytest.raises(OperationalError), ExitStack() as others, database.writing() as connection:
        lose(connection, others)
    assert not round_trips._turn.locked()


@pytest.mark.parametrize("spare", [0, 1, 2, 3_000_000])
def test_a_statement_of_more_than_one_packet_is_sent_in_several(spare: int) -> None:
    """Sixteen megabytes are the most that the protocol has in one; how many a server takes, it says itself."""
    with database.writing() as connection:
        execute(connection, "SET GLOBAL max_allowed_packet = 67108864")
    database.writer().dispose()
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1), row(2)]))
        without = len(MEASURE.worded(connection, [{"which": 1, "measured": ""}])[0])
        word = "x" * (MAX_PACKET_LEN - 1 - without - 1 + spare)
        measured = [{"which": 1, "measured": word}, {"which": 2, "measured": "short"}]
        run_together(connection, Act(MEASURE, measured), Act(ADD, [row(3)]))
    assert [(number, amount) for number, _, amount in kept()] == [(1, len(word)), (2, 5), (3, 1)]


def test_nobody_waits_for_the_turn_of_who_waits_for_somebodys_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    with database.writing() as connection:
        run_together(connection, Act(ADD, [row(1), row(2)]))

    def rename() -> None:
        with database.writing() as connection:
            run_together(connection, Act(RENAME, [{"which": 1, "word": "later"}]), is_last=True)

    stuck = threading.Thread(target=rename)
    with database.writing() as holder:
        run_together(holder, Act(RENAME, [{"which": 1, "word": "first"}]))
        stuck.start()
        wait_until(round_trips._turn.locked)
        time.sleep(2 * round_trips.TURN_SECONDS)
        monkeypatch.setattr(round_trips, "_turn", Patient(round_trips._turn))
        with database.writing() as connection:
            run_together(connection, Act(RENAME, [{"which": 2, "word": "meanwhile"}]), is_last=True)
        assert round_trips._turn.waited == [0]  # type: ignore[attr-defined]
    stuck.join()
    assert kept() == [(1, "later", 1), (2, "meanwhile", 1)]
    assert not round_trips._turn.locked()


class Patient:
    """The turn, and how long each has been willing to wait for it."""

    def __init__(self, turn: Any) -> None:
        self._turn = turn
        self.waited: list[float] = []

    def acquire(self, *, timeout: float) -> bool:
        self.waited.append(timeout)
        return bool(self._turn.acquire(timeout=timeout))

    def release(self) -> None:
        self._turn.release()

    def locked(self) -> bool:
        return bool(self._turn.locked())
