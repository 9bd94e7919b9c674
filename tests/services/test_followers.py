"""Readers of other workers' answers are told how these stand by one look for all, and wait for no database."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.engine import make_url

from flask_app import database, streams
from flask_app.config import Config
from flask_app.database import engine, reading, transaction
from flask_app.models import Conversation, Run, User
from flask_app.services.runs import followers, stop_service
from flask_app.services.runs.run_following import REPLAYED
from flask_app.services.runs.run_service import WORKER
from flask_app.streams.keeper import HEARTBEAT
from flask_app.streams.redis.broker import RedisBroker
from tests.support import proxies
from tests.support.another_worker import Following, Other, say
from tests.support.brokers import process, wait_until
from tests.support.clients import PageClient
from tests.support.events import text_of
from tests.support.redis_server import RedisServer

Stall = Callable[[], AbstractContextManager[None]]

HUSH = 4.0  # seconds; a heartbeat comes each second, where nothing else does
LISTENED = 5.0


@pytest.fixture
def redis(running_redis: RedisServer) -> Iterator[RedisServer]:
    running_redis.empty()
    yield running_redis
    running_redis.start_again()


@pytest.fixture
def other(app: object, redis: RedisServer) -> Iterator[Other]:
    """The application as one of two workers; the other one."""
    streams.connect(redis.url, WORKER)
    here = streams.broker()
    assert isinstance(here, RedisBroker)
    here.attend(stop_service._nudged.set)
    with process(redis) as broker:
        wait_until(lambda: not here.missing())
        yield Other(broker, worker=broker._worker)
    here.close()
    streams.connect(None, WORKER)


@pytest.fixture
def stall(base_config: Config) -> Iterator[Stall]:
    """`with stall()`: the database says nothing."""
    url = make_url(base_config.database_url)
    if url.port is None:
        with _held_statements() as held:
            yield held
        return
    with proxies.before(url.port) as proxy:
        database.connect(url.set(port=proxy.port).render_as_string(hide_password=False))
        yield partial(_while, proxy.hang, proxy.mend)
        database.connect(base_config.database_url)


@contextmanager
def _held_statements() -> Iterator[Stall]:
    flows, bound = threading.Event(), engine()
    flows.set()

    def hold(*_: object) -> None:
        assert flows.wait(60)

    event.listen(bound, "before_cursor_execute", hold)
    yield partial(_while, flows.clear, flows.set)
    event.remove(bound, "before_cursor_execute", hold)


@contextmanager
def _while(begin: Callable[[], None], end: Callable[[], None]) -> Iterator[None]:
    begin()
    try:
        yield
    finally:
        end()


def longest_silence(reader: Following, seconds: float, each: Callable[[], object] = lambda: None) -> float:
    until = time.monotonic() + seconds
    heard_at, longest, size = time.monotonic(), 0.0, len(reader.body)
    while (now := time.monotonic()) < until:
        each()
        if len(reader.body) > size:
            heard_at, size = now, len(reader.body)
        longest = max(longest, now - heard_at)
        time.sleep(0.05)
    return longest


def begun(member: User, other: Other, client: PageClient) -> tuple[streams.RunLog, Following]:
    log = other.begin(member)
    say(log, 2, 5)
    other.broker.flush()
    reader = Following(client, other.run_id)
    wait_until(lambda: len(reader.events) == 5)
    return log, reader


def test_a_database_that_hangs_stops_neither_words_nor_heartbeats_of_a_run_elsewhere(
    member: User,
    member_client: PageClient,
    other: Other,
    stall: Stall,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, reader = begun(member, other, member_client)
    monkeypatch.setattr("flask_app.streams.redis.follower.HEARTBEAT_SECONDS", 0.5)
    with stall():
        assert longest_silence(reader, LISTENED) < HUSH
        assert reader.body.count(HEARTBEAT) > 1
        assert longest_silence(reader, LISTENED, lambda: log.append("token", b'{"text":"on "}')) < HUSH
        assert text_of(reader.events).endswith("on ")
    log.finish([("done", b"{}")])
    events = reader.wait()
    assert [told.id for told in events] == list(range(1, len(events) + 1))
    assert events[-1].name == "done"


def test_nor_heartbeats_where_redis_is_away_as_well(
    member: User,
    member_client: PageClient,
    other: Other,
    redis: RedisServer,
    stall: Stall,
) -> None:
    _, reader = begun(member, other, member_client)
    with stall():
        redis.kill()
        assert longest_silence(reader, LISTENED) < HUSH
        assert reader.body.endswith(HEARTBEAT)
    other.end(text="the whole")
    events = reader.wait()[5:]
    assert [(told.id - REPLAYED, told.name) for told in events] == [(1, "start"), (2, "token"), (3, "done")]
    assert text_of(events) == "the whole"


def test_nor_before_the_stored_answer(
    member: User,
    member_client: PageClient,
    other: Other,
    redis: RedisServer,
    stall: Stall,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is known that the run has ended, and not yet how."""
    _, reader = begun(member, other, member_client)
    monkeypatch.setattr("flask_app.streams.redis.follower.HEARTBEAT_SECONDS", 100)
    other.end(text="the whole")
    wait_until(lambda: followers._followed[other.run_id].status == "complete")
    with stall():
        redis.kill()
        assert longest_silence(reader, LISTENED) < HUSH
    assert text_of(reader.wait()[5:]) == "the whole"


def test_however_many_are_followed_it_is_one_query(
    member: User, other: Other, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    runs = []
    for _ in range(3):
        another = Other(other.broker, worker=other.worker)
        another.begin(member)
        with reading() as session:
            runs.append(session.scalars(select(Run).where(Run.id == another.run_id)).one())
    with ExitStack() as followed:
        for run in runs * 3:
            followed.enter_context(followers.following(run))
        wait_until(lambda: not followers._unnoted)
        with query_count() as statements:
            followers.look()
        assert len(statements) == 1
    with query_count() as statements:
        followers.look()
    assert not statements, "nobody follows any more"


def test_a_run_that_goes_with_its_conversation_ends_its_readers_line(
    member: User, member_client: PageClient, other: Other, redis: RedisServer
) -> None:
    _, reader = begun(member, other, member_client)
    redis.kill()
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
    assert len(reader.wait()) == 5
