"""Runs of another worker: followed, stopped and ended from here; runs of this one, stopped from there."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.exc import OperationalError

from flask_app import streams
from flask_app.database import engine, new_id, reading, transaction, utc_now
from flask_app.models import ApiKey, Attempt, Conversation, Message, Run, TokenUsage, User
from flask_app.services import (
    followers,
    lease_service,
    model_service,
    reaper_service,
    run_service,
    sealing,
    stop_service,
)
from flask_app.services.run_following import REPLAYED
from flask_app.services.run_service import WORKER
from flask_app.streams.redis.broker import RedisBroker
from flask_app.streams.redis.entries import key_of
from tests.support.another_worker import Following, Other, say
from tests.support.brokers import process, read_all, wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of, text_of
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ENDLESS = Answer("word " * 2000, tokens_per_second=50)


@pytest.fixture
def redis(running_redis: RedisServer) -> Iterator[RedisServer]:
    running_redis.empty()
    yield running_redis
    running_redis.resume()
    running_redis.start_again()


@pytest.fixture
def here(app: Any, redis: RedisServer) -> Iterator[RedisBroker]:
    """The application as one of several workers."""
    streams.connect(redis.url, WORKER)
    broker = streams.broker()
    assert isinstance(broker, RedisBroker)
    broker.attend(stop_service._nudged.set)
    wait_until(lambda: not broker.missing())
    yield broker
    run_service.shutdown()
    broker.close()
    streams.connect(None, WORKER)


@pytest.fixture
def other(here: RedisBroker, redis: RedisServer) -> Iterator[Other]:
    with process(redis) as broker:
        there = Other(broker, worker=broker._worker)
        broker.attend(there.nudged.set)
        yield there


def test_a_run_of_another_worker_is_followed_from_the_middle(
    member_client: PageClient, member: User, other: Other
) -> None:
    log = other.begin(member)
    say(log, 2, 20)
    other.broker.flush()
    reader = Following(member_client, other.run_id, after=7)
    say(log, 21, 40)
    log.append("done", b"{}")
    log.finish()
    events = reader.wait()
    assert [event.id for event in events] == list(range(8, 42))
    assert events[-1].name == "done"


def test_a_run_that_is_followed_here_says_so_until_its_reader_leaves(
    member_client: PageClient, member: User, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    def followed_at() -> Any:
        followers.renew()
        with reading() as session:
            return session.scalars(select(Run.followed_at)).one()

    monkeypatch.setattr(followers, "RENEW_SECONDS", 0)
    other.begin(member)
    assert followed_at() is None
    reader = member_client.get(f"/api/runs/{other.run_id}/events", buffered=False)
    assert next(iter(reader.response))
    first = followed_at()
    assert first is not None
    assert followed_at() > first, "as long as somebody reads, again and again"
    reader.close()
    last = followed_at()
    assert followed_at() == last


def test_reading_an_answer_that_has_ended_writes_nothing(
    member_client: PageClient, member: User, other: Other, query_count: Any
) -> None:
    other.begin(member).finish()
    other.broker.flush()
    other.end(text="whole")
    with query_count() as statements:
        member_client.get(f"/api/runs/{other.run_id}/events")
    assert statements
    assert not [statement for statement in statements if statement.startswith("UPDATE runs")]


def test_another_persons_run_elsewhere_looks_absent(admin_client: PageClient, member: User, other: Other) -> None:
    other.begin(member)
    assert admin_client.get(f"/api/runs/{other.run_id}/events").status_code == 404
    assert admin_client.post(f"/api/runs/{other.run_id}/stop", json={}).status_code == 404
    assert not other.stop_requested


def test_a_run_elsewhere_is_asked_to_stop_and_its_worker_looks_at_once(
    member_client: PageClient, member: User, other: Other
) -> None:
    other.begin(member)
    asked = time.monotonic()
    reply = member_client.post(f"/api/runs/{other.run_id}/stop", json={})
    assert (reply.status_code, reply.json) == (202, {"status": "stopping"})
    assert other.nudged.wait(1)
    assert time.monotonic() - asked < 0.9, "sooner than the worker would have looked by itself"
    assert other.stop_requested


def test_a_disabled_persons_runs_are_stopped_elsewhere_too(
    admin_client: PageClient, member: User, other: Other
) -> None:
    other.begin(member)
    assert admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": True}).status_code == 200
    assert other.nudged.wait(1)
    assert other.stop_requested


def test_stop_works_without_redis(member_client: PageClient, member: User, other: Other, redis: RedisServer) -> None:
    other.begin(member)
    redis.halt()
    asked = time.monotonic()
    assert member_client.post(f"/api/runs/{other.run_id}/stop", json={}).status_code == 202
    assert time.monotonic() - asked < 0.5
    assert other.stop_requested


def test_a_run_of_this_worker_is_stopped_from_elsewhere(
    member_client: PageClient, here: RedisBroker, other: Other, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    reader = _send(member_client, upstream)
    stop_service._nudged.clear()
    with transaction() as session:
        session.execute(update(Run).values(stop_requested=utc_now()))
    other.broker.nudge(WORKER)
    assert stop_service._nudged.wait(1)
    stop_service.look()
    assert reader.wait()[-1].data["status"] == "stopped"
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early


def test_a_run_of_this_worker_that_goes_with_its_conversation_elsewhere_says_so(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    reader = _send(member_client, upstream)
    with transaction() as session:
        session.execute(update(Run).values(stop_requested=utc_now(), discarded=True))
    stop_service.look()
    assert reader.wait()[-1].data["code"] == "conversation_gone"
    wait_until(lambda: not run_service.live_runs())


def test_a_run_whose_conversation_was_deleted_elsewhere_is_stopped_and_booked_once(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    reader = _send(member_client, upstream)
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
    stop_service.look()
    assert reader.wait()[-1].data["code"] == "conversation_gone"
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        assert session.scalars(select(TokenUsage.outcome)).all() == ["stopped"]
        assert session.scalars(select(Message)).all() == []


def test_deleting_a_conversation_waits_for_the_worker_that_writes_in_it(
    member_client: PageClient, member: User, other: Other
) -> None:
    other.begin(member)
    ended_at: list[float] = []

    def end_when_nudged() -> None:
        assert other.nudged.wait(2)
        with reading() as session:
            assert session.scalars(select(Run.discarded)).all() == [True]
        time.sleep(0.1)
        ended_at.append(time.monotonic())
        other.end("stopped")

    worker = threading.Thread(target=end_when_nudged)
    worker.start()
    assert member_client.delete(f"/api/conversations/{other.conversation_id}").status_code == 204
    assert ended_at
    assert ended_at[0] < time.monotonic() < ended_at[0] + 1
    worker.join()


def test_a_deleted_conversation_is_gone_from_redis(
    member_client: PageClient, member: User, other: Other, redis: RedisServer
) -> None:
    log = other.begin(member)
    log.finish()
    other.broker.flush()
    other.end()
    with redis.client() as client:
        assert b"There" in str(client.xrange(key_of(other.run_id))).encode()
        assert member_client.delete(f"/api/conversations/{other.conversation_id}").status_code == 204
        wait_until(lambda: b"There" not in str(client.xrange(key_of(other.run_id))).encode())


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
    events = reader.wait(4)
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


@pytest.mark.parametrize("ahead", [0, 1, 5])
def test_a_reader_who_heard_more_than_a_killed_worker_wrote_is_told_the_end(
    member_client: PageClient, member: User, other: Other, here: RedisBroker, ahead: int
) -> None:
    log = other.begin(member)
    say(log, 2, 5)
    other.broker.flush()
    reader = Following(member_client, other.run_id, after=5 + ahead)
    other.end("interrupted", text="what was kept")
    here.end(other.run_id, "error", b'{"code": "interrupted"}')
    events = reader.wait()
    if ahead:
        assert [event.name for event in events] == ["start", "token", "done"]
        assert text_of(events) == "what was kept"
    else:
        assert [event.name for event in events] == ["error"]


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
    assert text_of(reader.wait(5)) == "stored"


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


def test_what_a_dead_worker_left_is_ended_for_readers_everywhere(
    member_client: PageClient, member: User, other: Other
) -> None:
    say(other.begin(member), 2, 5)
    other.broker.flush()
    reader = Following(member_client, other.run_id)
    wait_until(lambda: len(reader.events) == 5)
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
    lease_service.tick()
    events = reader.wait(2)
    assert [event.id for event in events] == [1, 2, 3, 4, 5, 6]
    assert (events[-1].name, events[-1].data["code"]) == ("error", "interrupted")


def test_what_a_dead_worker_was_asked_to_stop_is_stopped(member_client: PageClient, member: User, other: Other) -> None:
    say(other.begin(member), 2, 5)
    other.broker.flush()
    reader = Following(member_client, other.run_id)
    wait_until(lambda: len(reader.events) == 5)
    assert member_client.post(f"/api/runs/{other.run_id}/stop", json={}).json == {"status": "stopping"}
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
    lease_service.tick()
    last = reader.wait(2)[-1]
    assert (last.id, last.name, last.data["status"]) == (6, "done", "stopped")
    with reading() as session:
        message = session.get_one(Message, other.message_id)
        assert (message.status, message.error_code) == ("stopped", None)


def test_a_worker_that_was_taken_for_dead_changes_nothing_any_more(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream, redis: RedisServer
) -> None:
    upstream.script(Answer("one two three four", tokens_per_second=10))
    reader = _send(member_client, upstream)
    with transaction() as session:
        session.execute(update(Message).where(Message.role == "assistant").values(text="kept"))
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
        run_id, message_id = session.execute(select(Run.id, Run.message_id)).one()
        assert reaper_service.reap(session, run_id)
    lease_service.tick()
    last = reader.wait()[-1]
    assert (last.name, last.data["code"]) == ("error", "interrupted")
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        message = session.get_one(Message, message_id)
        assert (message.status, message.text) == ("interrupted", "kept")
        assert session.get_one(Run, run_id).status == "interrupted"
        assert session.scalars(select(TokenUsage.outcome)).all() == ["interrupted"]
        assert session.scalars(select(Attempt.state)).all() == ["settled"]


@pytest.mark.parametrize(("status", "asked"), [("running", 2), ("interrupted", 1)])
def test_a_worker_that_was_taken_for_dead_asks_nobody_else(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream, status: str, asked: int
) -> None:
    model_service.available()  # the environment's key is stored at first use
    _add_another_key()
    upstream.script(Answer("late", first_token_after=0.5, cut_at=0), Answer("from the other key"))
    _send(member_client, upstream, begun=False)
    with transaction() as session:
        session.execute(update(Run).values(status=status))
    wait_until(lambda: not run_service.live_runs())
    assert len(upstream.journal.chats) == asked


def _add_another_key() -> None:
    with transaction() as session:
        first, key_id = session.scalars(select(ApiKey)).one(), new_id()
        sealed = sealing.seal("sk-second-key-of-the-site", key_id)
        session.add(ApiKey(id=key_id, provider_id=first.provider_id, label="second", secret=sealed, hint="site"))


def test_readers_elsewhere_hear_the_end_when_this_worker_goes(
    member_client: PageClient, here: RedisBroker, other: Other, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    _send(member_client, upstream)
    (live,) = run_service.live_runs()
    run_service.shutdown()
    frames = read_all(other.broker, live.begun.run_id)
    assert b'"status":"interrupted"' in frames[-1]


def _send(client: PageClient, upstream: ScriptedUpstream, *, begun: bool = True) -> Following:
    client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    wait_until(run_service.live_runs)
    (live,) = run_service.live_runs()
    reader = Following(client, live.begun.run_id)
    if begun:
        wait_until(lambda: text_of(reader.events))
    return reader


@pytest.mark.parametrize("status", ["interrupted", "stopped"])
def test_a_reader_that_is_ahead_of_a_dead_workers_log_hears_its_end(
    member_client: PageClient, member: User, other: Other, status: str
) -> None:
    say(other.begin(member), 2, 20)
    other.broker.flush()
    other.end(status, text="kept")
    other.broker.end(other.run_id, "done", b'{"status": "stopped"}')
    time.sleep(0.3)
    events = events_of(member_client.get(f"/api/runs/{other.run_id}/events?after=40").data)
    assert [event.name for event in events][-1] == "done"
    assert text_of(events) == "kept"
