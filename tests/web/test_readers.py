"""How many streams one person may hold open: one too many is refused, and a place that is left is free again."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from flask_app import config
from flask_app.database import reading
from flask_app.models import Run
from flask_app.services.runs import run_service
from flask_app.web import readers
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ENDLESS = Answer("word " * 2000, tokens_per_second=50)
MOST = 8

Follow = Callable[..., Any]


@pytest.fixture
def run_id(member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> str:
    """An answer that goes on and on, left by its first reader."""
    monkeypatch.setattr(readers, "MOST_STREAMS", MOST)
    upstream.default = ENDLESS
    begun = member_client.post("/api/chat", json={"message": "go"}, buffered=False)
    (start, *_) = events_of(next(iter(begun.response)))  # type: ignore[arg-type]
    begun.close()
    return str(start.data["run_id"])


def follow(client: PageClient, run_id: str) -> Any:
    return client.get(f"/api/runs/{run_id}/events", buffered=False)


def assert_refused(response: Any) -> None:
    assert (response.status_code, error_code(response)) == (429, "too_many_streams")
    assert int(response.headers["Retry-After"]) > 0
    assert str(MOST) in response.json["error"]["message"]


def test_one_stream_too_many_is_refused_until_another_ends(member_client: PageClient, run_id: str) -> None:
    streams = [follow(member_client, run_id) for _ in range(MOST)]
    assert [stream.status_code for stream in streams] == [200] * MOST
    assert_refused(follow(member_client, run_id))
    streams.pop().close()
    streams.append(follow(member_client, run_id))
    assert streams[-1].status_code == 200
    assert_refused(follow(member_client, run_id))
    run_service.shutdown()
    for stream in streams:
        assert events_of(stream.data)[-1].name == "done"
        stream.close()
    assert follow(member_client, run_id).status_code == 200


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_a_message_beyond_the_cap_is_neither_written_nor_asked(
    member_client: PageClient, upstream: ScriptedUpstream, run_id: str, accept: str
) -> None:
    streams = [follow(member_client, run_id) for _ in range(MOST)]
    assert_refused(member_client.post("/api/chat", json={"message": "more"}, headers={"Accept": accept}))
    run_service.shutdown()
    assert len(upstream.journal.chats) <= 1  # the first, where it came so far
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 1
    for stream in streams:
        stream.close()


def test_refusals_and_whole_answers_leave_their_places(
    member_client: PageClient, upstream: ScriptedUpstream, run_id: str
) -> None:
    for _ in range(MOST + 1):
        assert follow(member_client, "0" * 26).status_code == 404
        assert member_client.post("/api/chat", json={"message": ""}).status_code == 422
        with member_client.head(f"/api/runs/{run_id}/events") as head:
            assert head.status_code == 200
    upstream.default = Answer("short")
    for _ in range(MOST + 1):
        asked = {"json": {"message": "hi"}, "headers": {"Accept": "application/json"}}
        with member_client.post("/api/chat", **asked) as whole:
            assert whole.json
            assert whole.json["status"] == "complete"
    assert follow(member_client, run_id).status_code == 200


def test_whoever_may_have_many_answers_made_may_follow_them(member_client: PageClient, run_id: str) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=MOST))
    streams = [follow(member_client, run_id) for _ in range(2 * MOST)]
    assert {stream.status_code for stream in streams} == {200}
    assert follow(member_client, run_id).status_code == 429
    for stream in streams:
        stream.close()


def test_everybody_has_places_of_their_own(
    member_client: PageClient, run_id: str, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    streams = [follow(member_client, run_id) for _ in range(MOST)]
    upstream.default = Answer("short")
    assert sign_in(make_user("somebody")).post("/api/chat", json={"message": "hi"}).status_code == 200
    for stream in streams:
        stream.close()
