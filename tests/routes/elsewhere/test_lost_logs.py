"""Readers whose run has a log no longer, or one that says nothing more."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from flask_app.database import engine
from flask_app.models import User
from flask_app.services.runs.run_following import REPLAYED
from flask_app.streams.redis.broker import RedisBroker
from tests.support.another_worker import Following, Other, say
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of, text_of
from tests.support.redis_server import RedisServer


def test_a_reader_whose_redis_dies_gets_the_stored_answer(
    member_client: PageClient, member: User, other: Other, redis: RedisServer
) -> None:
    log = other.begin(member)
    say(log, 2, 5)
    other.broker.flush()
    reader = Following(member_client, other.run_id)
    wait_until(lambda: len(reader.events) == 5)
    redis.kill()
    other.end(text="the whole answer")
    events = reader.wait()
    assert [event.name for event in events[5:]] == ["start", "token", "done"]
    assert text_of(events[5:]) == "the whole answer"
    again = events_of(member_client.get(f"/api/runs/{other.run_id}/events?after={events[-2].id}").data)
    assert [event.name for event in again] == ["start", "token", "done"], "a stored answer is always told whole"
    assert again[0].id > events[-2].id >= REPLAYED


def test_a_reader_whose_redis_dies_goes_on_with_what_the_database_has(
    member_client: PageClient, member: User, other: Other, redis: RedisServer
) -> None:
    say(other.begin(member), 2, 5)
    other.broker.flush()
    reader = Following(member_client, other.run_id)
    wait_until(lambda: len(reader.events) == 5)
    redis.kill()
    other.keep("2 3 4 5 6 ")
    wait_until(lambda: len(reader.events) == 7)
    redis.start()
    other.keep("2 3 4 5 6 7 ")
    wait_until(lambda: len(reader.events) == 8)
    other.end(text="2 3 4 5 6 7 8 ")
    events = reader.wait()[5:]
    assert [event.id - REPLAYED for event in events] == [1, 2, 3, 4, 5]
    assert [event.name for event in events] == ["start", "token", "token", "token", "done"]
    assert text_of(events) == "2 3 4 5 6 7 8 "


def test_a_reader_comes_back_to_a_redis_that_is_back(
    member_client: PageClient, member: User, other: Other, here: RedisBroker, redis: RedisServer
) -> None:
    log = other.begin(member)
    say(log, 2, 5)
    other.broker.flush()
    reader = Following(member_client, other.run_id)
    wait_until(lambda: len(reader.events) == 5)
    redis.kill()
    wait_until(here.missing)
    say(log, 6, 9)
    redis.start()
    log.finish()
    assert [event.id for event in reader.wait()] == list(range(1, 10))


def test_a_silent_log_whose_run_is_over_does_not_hold_its_reader(
    member_client: PageClient, member: User, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.begin(member)
    other.broker.flush()
    reader = Following(member_client, other.run_id)
    wait_until(lambda: reader.events)
    monkeypatch.setattr("flask_app.streams.redis.follower.HEARTBEAT_SECONDS", 0.1)
    other.end(text="stored")
    assert text_of(reader.wait()) == "stored"


def test_a_database_that_fails_as_the_end_is_noticed_has_nothing_told_twice(
    member_client: PageClient, member: User, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(other.begin(member), 2, 9)
    other.broker.flush()
    reader = Following(member_client, other.run_id, after=4)
    wait_until(lambda: len(reader.events) == 5)
    other.end(text="stored")
    with failing_once(2):
        monkeypatch.setattr("flask_app.streams.redis.follower.HEARTBEAT_SECONDS", 0.1)
        events = reader.wait()
    assert [event.id for event in events] == [5, 6, 7, 8, 9, REPLAYED + 1, REPLAYED + 2, REPLAYED + 3]
    assert text_of(events[5:]) == "stored"


@contextmanager
def failing_once(turn: int) -> Iterator[None]:
    """While the block runs the database fails once: at so manyth a question about a run."""
    asked = 0

    def ask(_: object, __: object, statement: str, *___: object) -> None:
        nonlocal asked
        asked += "FROM runs" in statement
        if "FROM runs" in statement and asked == turn:
            raise OperationalError(statement, {}, Exception("Lost connection"))

    event.listen(engine(), "before_cursor_execute", ask)
    try:
        yield
    finally:
        event.remove(engine(), "before_cursor_execute", ask)
    assert asked >= turn
