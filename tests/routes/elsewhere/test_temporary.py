"""Temporary chats with several workers: Redis has an answer's words while it can be followed, and no longer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Run, User
from flask_app.services.runs import lease_service, run_following, run_service
from flask_app.streams.redis import entries
from flask_app.streams.redis.broker import RedisBroker
from tests.support import temporary
from tests.support.another_worker import Following, Other
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import text_of
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.temporary import ANSWERED, begin, heard, keys_with_words, tables_with_words


@pytest.fixture
def stored(redis: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(redis.url) as client:
        yield client


def begin_elsewhere(user: User, other: Other) -> None:
    """An answer that another worker makes, as far as its first word."""
    fields = {"user_id": user.id, "worker": other.worker, "lease_expires_at": utc_now() + timedelta(seconds=30)}
    with transaction() as session:
        session.add(Run(id=other.run_id, idempotency_key=new_id(), draft_digest="x", **fields))
    log = other.broker.open(other.run_id)
    log.append("start", b'{"run_id":"%b"}' % other.run_id.encode())
    log.append("token", b'{"text":"first"}')
    other.broker.flush()


def is_sealed(stored: Redis, log: bytes) -> bool:
    """Can nobody add to it any more?"""
    newest: Any = stored.xrevrange(log, count=1)
    return bool(newest) and entries.is_sealed(newest[0][0])


def test_its_words_are_in_one_stream_that_expires(
    member_client: PageClient, upstream: ScriptedUpstream, here: RedisBroker, stored: Redis
) -> None:
    live, reader = begin(member_client, upstream)
    log = entries.key_of(live.begun.run_id)
    wait_until(lambda: keys_with_words(stored) == {log} and 0 < stored.ttl(log) <= entries.KEPT_SECONDS)
    live.stop.stop("stopped")
    temporary.compare(upstream)
    wait_until(lambda: is_sealed(stored, log))
    assert keys_with_words(stored) == {log}
    assert 0 < stored.ttl(log) <= entries.KEPT_SECONDS
    stored.expire(log, 0)
    assert (keys_with_words(stored), tables_with_words()) == (set(), set())
    reader.close()


def test_a_reader_elsewhere_hears_all_of_it(member_client: PageClient, member: User, other: Other) -> None:
    begin_elsewhere(member, other)
    reader = Following(member_client, other.run_id)
    wait_until(lambda: text_of(reader.events) == "first")
    log = other.broker.find(other.run_id)
    assert log is not None
    log.finish([("done", b'{"status":"complete"}')])  # type: ignore[attr-defined]
    assert [event.name for event in reader.wait()] == ["start", "token", "done"]


def test_a_reader_hears_of_the_death_of_its_worker(
    member_client: PageClient, member: User, other: Other, stored: Redis
) -> None:
    begin_elsewhere(member, other)
    reader = Following(member_client, other.run_id)
    wait_until(lambda: text_of(reader.events) == "first")
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
    lease_service.tick()
    end = reader.wait()[-1]
    assert (end.name, end.data["status"]) == ("done", "interrupted")
    wait_until(lambda: is_sealed(stored, entries.key_of(other.run_id)))
    assert 0 < stored.ttl(entries.key_of(other.run_id)) <= entries.KEPT_SECONDS
    with reading() as session:
        assert session.get_one(Run, other.run_id).status == "interrupted"


def test_without_its_log_a_reader_waits_for_the_end_and_hears_how_it_was(
    member_client: PageClient, member: User, other: Other, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_following, "PATIENCE", 0)  # no stored answer is looked for, however long it takes
    begin_elsewhere(member, other)
    redis.empty()
    other.broker.forget([other.run_id])
    reader = Following(member_client, other.run_id, after=2)
    assert reader.events == []
    with transaction() as session:
        session.execute(update(Run).values(status="stopped"))
    (end,) = reader.wait()
    assert (end.name, end.data["status"]) == ("done", "stopped")


def test_nothing_of_one_that_has_ended_is_told_for_long(
    member_client: PageClient, upstream: ScriptedUpstream, here: RedisBroker
) -> None:
    upstream.script(Answer(ANSWERED))
    run_id = heard(temporary.ask(member_client))[0].data["run_id"]
    wait_until(lambda: not run_service.live_runs())
    here.forget([run_id])
    told = heard(member_client.get(f"/api/runs/{run_id}/events?after=1"))
    assert [event.data.get("code") for event in told] == ["answer_gone"]
