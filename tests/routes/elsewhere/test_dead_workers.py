"""What dead workers left, and workers that were only taken for dead."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import ApiKey, Attempt, Message, Run, TokenUsage, User
from flask_app.services.providers import model_service
from flask_app.services.runs import lease_service, reaper_service, run_service
from flask_app.services.secrets import sealing
from flask_app.streams.redis.broker import RedisBroker
from tests.routes.elsewhere.asking import send
from tests.support.another_worker import Following, Other, say
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of, text_of
from tests.support.redis_server import RedisServer
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.titled import Held
from tests.support.upstream_paused import Paused


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
    events = reader.wait()
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
    last = reader.wait()[-1]
    assert (last.id, last.name, last.data["status"]) == (6, "done", "stopped")
    with reading() as session:
        message = session.get_one(Message, other.message_id)
        assert (message.status, message.error_code) == ("stopped", None)


def test_a_worker_that_was_taken_for_dead_changes_nothing_any_more(
    member_client: PageClient, here: RedisBroker, upstream: ScriptedUpstream, redis: RedisServer
) -> None:
    answer = Paused()
    upstream.script(answer)
    reader = send(member_client, upstream)
    with transaction() as session:
        session.execute(update(Message).where(Message.role == "assistant").values(text="kept"))
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
        run_id, message_id = session.execute(select(Run.id, Run.message_id)).one()
        assert reaper_service.reap(session, run_id)
    lease_service.tick()
    answer.go_on()
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
    held = Held("late", cut_at=0)
    upstream.script(held, Answer("from the other key"))
    send(member_client, upstream, begun=False)
    upstream.journal.wait_for(1)
    with transaction() as session:
        session.execute(update(Run).values(status=status))
    held.let_go()
    wait_until(lambda: not run_service.live_runs())
    assert len(upstream.journal.chats) == asked


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


def _add_another_key() -> None:
    with transaction() as session:
        first, key_id = session.scalars(select(ApiKey)).one(), new_id()
        sealed = sealing.seal("sk-second-key-of-the-site", key_id)
        session.add(ApiKey(id=key_id, provider_id=first.provider_id, label="second", secret=sealed, hint="site"))
