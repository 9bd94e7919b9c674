"""Runs of another worker are followed here, and of this one there."""

from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Run, User
from flask_app.services.runs import followers, run_service
from flask_app.streams.redis.broker import RedisBroker
from tests.routes.elsewhere.asking import ENDLESS, send
from tests.support.another_worker import Following, Other, say
from tests.support.brokers import read_all, wait_until
from tests.support.clients import PageClient
from tests.support.scripted_upstream import ScriptedUpstream


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
    wait_until(followed_at)  # a row that its own thread writes just then is left for the next time
    first = followed_at()
    wait_until(lambda: followed_at() > first)  # as long as somebody reads, again and again
    reader.close()
    wait_until(lambda: followed_at() == followed_at())  # what its own thread was about to note then comes yet


def test_reading_an_answer_that_has_ended_writes_nothing(member_client: PageClient, member: User, other: Other) -> None:
    other.begin(member).finish()
    other.broker.flush()
    other.end(text="whole")
    assert member_client.get(f"/api/runs/{other.run_id}/events").data
    with reading() as session:
        run = session.scalars(select(Run)).one()
    with followers.following(run):
        followers._note_new()
    with reading() as session:
        assert session.scalars(select(Run.followed_at)).one() is None


def test_another_persons_run_elsewhere_looks_absent(admin_client: PageClient, member: User, other: Other) -> None:
    other.begin(member)
    assert admin_client.get(f"/api/runs/{other.run_id}/events").status_code == 404
    assert admin_client.post(f"/api/runs/{other.run_id}/stop", json={}).status_code == 404
    assert not other.stop_requested


def test_readers_elsewhere_hear_the_end_when_this_worker_goes(
    member_client: PageClient, here: RedisBroker, other: Other, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    send(member_client, upstream)
    (live,) = run_service.live_runs()
    run_service.shutdown()
    frames = read_all(other.broker, live.begun.run_id)
    assert b'"status":"interrupted"' in frames[-1]
