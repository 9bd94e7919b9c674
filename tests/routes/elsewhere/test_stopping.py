"""Runs that are stopped, or go with their conversation, on another worker than the one that makes them."""

import threading
import time

import pytest
from sqlalchemy import delete, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Conversation, Message, Run, TokenUsage, User
from flask_app.services.runs import run_service, stop_service
from flask_app.services.runs.run_service import WORKER
from flask_app.streams.redis import broker
from flask_app.streams.redis.broker import RedisBroker
from flask_app.streams.redis.entries import key_of
from tests.routes.elsewhere.asking import ENDLESS, send
from tests.support.another_worker import Other
from tests.support.brokers import PATIENCE, wait_until
from tests.support.clients import PageClient
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import ScriptedUpstream


def test_a_run_elsewhere_is_asked_to_stop_and_its_worker_looks_at_once(
    member_client: PageClient, member: User, other: Other
) -> None:
    other.begin(member)
    reply = member_client.post(f"/api/runs/{other.run_id}/stop", json={})
    assert (reply.status_code, reply.json) == (202, {"status": "stopping"})
    assert other.nudged.wait(PATIENCE), "it does not look by itself"
    assert other.stop_requested


def test_a_disabled_persons_runs_are_stopped_elsewhere_too(
    admin_client: PageClient, member: User, other: Other
) -> None:
    other.begin(member)
    assert admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": True}).status_code == 200
    assert other.nudged.wait(PATIENCE)
    assert other.stop_requested


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for Redis waits for longer than anything takes."""
    monkeypatch.setattr(broker, "CALL_SECONDS", PATIENCE)


@pytest.mark.usefixtures("patient")
def test_stop_works_without_redis(member_client: PageClient, member: User, other: Other, redis: RedisServer) -> None:
    other.begin(member)
    redis.halt()
    asked = time.monotonic()
    assert member_client.post(f"/api/runs/{other.run_id}/stop", json={}).status_code == 202
    assert time.monotonic() - asked < PATIENCE, "nobody waited for a reply"
    assert other.stop_requested
    redis.resume()


def test_a_run_of_this_worker_is_stopped_from_elsewhere(
    member_client: PageClient, here: RedisBroker, other: Other, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    reader = send(member_client, upstream)
    stop_service._nudged.clear()
    with transaction() as session:
        session.execute(update(Run).values(stop_requested=utc_now()))
    other.broker.nudge(WORKER)
    assert stop_service._nudged.wait(PATIENCE)
    stop_service.look()
    assert reader.wait()[-1].data["status"] == "stopped"
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early


def test_a_run_of_this_worker_that_goes_with_its_conversation_elsewhere_says_so(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    reader = send(member_client, upstream)
    with transaction() as session:
        session.execute(update(Run).values(stop_requested=utc_now(), discarded=True))
    stop_service.look()
    assert reader.wait()[-1].data["code"] == "conversation_gone"
    wait_until(lambda: not run_service.live_runs())


def test_a_run_whose_conversation_was_deleted_elsewhere_is_stopped_and_booked_once(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    reader = send(member_client, upstream)
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
    member_client: PageClient, member: User, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_service, "SETTLED_SECONDS", 2 * PATIENCE)
    other.begin(member)
    ended_at: list[float] = []

    def end_when_nudged() -> None:
        assert other.nudged.wait(PATIENCE)
        with reading() as session:
            assert session.scalars(select(Run.discarded)).all() == [True]
        time.sleep(0.1)
        ended_at.append(time.monotonic())
        other.end("stopped")

    worker = threading.Thread(target=end_when_nudged)
    worker.start()
    assert member_client.delete(f"/api/conversations/{other.conversation_id}").status_code == 204
    assert ended_at
    assert ended_at[0] < time.monotonic() < ended_at[0] + PATIENCE
    worker.join()


@pytest.mark.security("deleted-is-gone")
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
