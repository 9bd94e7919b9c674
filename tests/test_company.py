"""Writes that travel together: one COMMIT for many, everybody's own fault, and nobody left behind."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from flask_app import database
from flask_app.company import Company, Passenger
from flask_app.database import fetching, in_company, in_writing, new_id, table_of, utc_now
from flask_app.models import Conversation, User
from tests.support.brokers import PATIENCE, wait_until

conversations = table_of(Conversation)
MANY = 6


@pytest.fixture
def company(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Those who wait, and who wait long: a slow machine changes nothing."""
    found = database._bound().company
    if found is None:
        pytest.skip("a server makes COMMITs of several cheap by itself, and nobody waits")
    monkeypatch.setattr("flask_app.company.WAIT_SECONDS", 3)
    monkeypatch.setattr("flask_app.company.HEAD_START_SECONDS", PATIENCE)
    return found


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(MANY) as pool:
        yield pool


def writes(person: User, title: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        moment = {"created_at": utc_now(), "updated_at": utc_now()}
        connection.execute(insert(conversations).values(id=new_id(), user_id=person.id, title=title, **moment))
        return title

    return work


def fails(connection: Connection) -> str:
    writes_nothing = select(conversations.c.id)
    connection.execute(writes_nothing)
    raise ValueError("its own fault")


def titles() -> list[str]:
    with fetching() as connection:
        return sorted(connection.scalars(select(conversations.c.title)))


def aboard(company: Company, pool: ThreadPoolExecutor, *works: Callable[[Connection], str]) -> list[Future[str]]:
    """These wait to be taken along, beside those who wait already."""
    already = len(company._waiting)
    begun = [pool.submit(in_company, work) for work in works]
    wait_until(lambda: len(company._waiting) == already + len(works))
    return begun


@contextmanager
def commits(*, broken: int = 0) -> Iterator[list[None]]:
    """Counts the COMMITs, of which the first so many fail."""
    counted: list[None] = []

    def commit(_: Connection) -> None:
        counted.append(None)
        if len(counted) <= broken:
            raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    writer = database._bound().writer
    event.listen(writer, "commit", commit)
    try:
        yield counted
    finally:
        event.remove(writer, "commit", commit)


def test_whoever_writes_takes_those_along_who_wait(company: Company, member: User, pool: ThreadPoolExecutor) -> None:
    with commits() as counted:
        waiting = aboard(company, pool, *(writes(member, str(number)) for number in range(MANY)))
        assert in_writing(writes(member, "own")) == "own"
        assert [each.result(PATIENCE) for each in waiting] == [str(number) for number in range(MANY)]
    assert len(counted) == 1
    assert titles() == [*map(str, range(MANY)), "own"]


def test_who_has_waited_long_enough_goes_and_takes_the_others(
    company: Company, member: User, pool: ThreadPoolExecutor
) -> None:
    with commits() as counted:
        waiting = aboard(company, pool, *(writes(member, str(number)) for number in range(MANY)))
        assert [each.result(PATIENCE) for each in waiting] == [str(number) for number in range(MANY)]
    assert len(counted) == 1
    assert titles() == [*map(str, range(MANY))]


def test_the_next_one_goes_where_the_first_never_arrives(
    company: Company, member: User, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_app.company.HEAD_START_SECONDS", 0.1)
    lost = pool.submit(company.travels, Passenger(fails))
    wait_until(lambda: company._waiting)
    waiting = aboard(company, pool, writes(member, "first"), writes(member, "last"))
    assert lost.result(PATIENCE) is False, "it must go by itself, and never does"
    assert [each.result(PATIENCE) for each in waiting] == ["first", "last"]


def test_a_fault_is_told_to_its_own_caller_alone(company: Company, member: User, pool: ThreadPoolExecutor) -> None:
    first, faulty, last = aboard(company, pool, writes(member, "first"), fails, writes(member, "last"))
    in_writing(writes(member, "own"))
    assert (first.result(PATIENCE), last.result(PATIENCE)) == ("first", "last")
    with pytest.raises(ValueError, match="its own fault"):
        faulty.result(PATIENCE)
    assert titles() == ["first", "last", "own"]


def test_nobody_boards_what_fails_by_itself(company: Company, member: User, pool: ThreadPoolExecutor) -> None:
    waiting = aboard(company, pool, writes(member, "first"), writes(member, "last"))
    with pytest.raises(ValueError, match="its own fault"):
        in_writing(fails)
    assert [each.result(PATIENCE) for each in waiting] == ["first", "last"]
    assert titles() == ["first", "last"]


def test_after_a_commit_that_failed_each_goes_by_itself(
    company: Company, member: User, pool: ThreadPoolExecutor
) -> None:
    with commits(broken=1) as counted:
        waiting = aboard(company, pool, writes(member, "first"), writes(member, "last"))
        with pytest.raises(OperationalError):
            in_writing(writes(member, "own"))
        assert [each.result(PATIENCE) for each in waiting] == ["first", "last"]
    assert len(counted) == 3
    assert titles() == ["first", "last"]


def test_a_broken_database_ends_the_whole_journey(company: Company, member: User, pool: ThreadPoolExecutor) -> None:
    def breaks(connection: Connection) -> str:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    broken, last = aboard(company, pool, breaks, writes(member, "last"))
    with pytest.raises(OperationalError, match="disk full"):
        in_writing(writes(member, "own"))
    with pytest.raises(OperationalError, match="disk full"):
        broken.result(PATIENCE)
    assert last.result(PATIENCE) == "last"
    assert titles() == ["last"]
