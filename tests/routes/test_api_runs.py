"""Following, resuming and stopping a run; its lease; the cap on answers in the making."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, true, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import ApiKey, Attempt, LoginSession, Message, Run, TokenUsage, User
from flask_app.services.runs import lease_service, run_service, stop_service
from flask_app.services.sign_in import open_sessions
from flask_app.streams import broker, keeper, memory
from tests.conftest import SignIn
from tests.support import ledger
from tests.support.brokers import PATIENCE, wait_until
from tests.support.events import events_of, text_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.together import at_once

SLOW = Answer("one two three four five six seven eight nine ten", tokens_per_second=20)
ENDLESS = Answer("word " * 2000, tokens_per_second=50)


def begin(client: FlaskClient, message: str = "go") -> dict[str, Any]:
    """Send and leave at once: the run goes on without its reader."""
    response = client.post("/api/chat", json={"message": message}, buffered=False)
    assert response.status_code == 200
    (start, *_) = events_of(next(iter(response.response)))  # type: ignore[arg-type]
    response.close()
    return start.data


def wait_for_words() -> None:
    """Of the answer that is being made: the provider has said them, and they are here."""
    wait_until(lambda: [live for live in run_service.live_runs() if live.completion.outcome.text])


def status_of(run_id: str) -> str:
    with reading() as session:
        return session.get_one(Run, run_id).status


def test_a_reader_who_leaves_loses_nothing(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(SLOW)
    run_id = begin(member_client)["run_id"]
    again = events_of(member_client.get(f"/api/runs/{run_id}/events").data)
    assert text_of(again) == SLOW.text
    assert again[-1].name == "done"


def test_resuming_gives_exactly_what_was_not_seen(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(SLOW)
    run_id = begin(member_client)["run_id"]
    whole = events_of(member_client.get(f"/api/runs/{run_id}/events").data)
    for seen in range(len(whole) + 1):
        rest = member_client.get(f"/api/runs/{run_id}/events", headers={"Last-Event-ID": str(seen)})
        assert events_of(rest.data) == whole[seen:]


def test_two_readers_see_the_same(member_client: FlaskClient, upstream: ScriptedUpstream, app: Any) -> None:
    upstream.script(SLOW)
    run_id = begin(member_client)["run_id"]
    seen: list[bytes] = []
    readers = [
        threading.Thread(target=lambda: seen.append(member_client.get(f"/api/runs/{run_id}/events").data))
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(PATIENCE)
    assert text_of(events_of(seen[0])) == text_of(events_of(seen[1])) == SLOW.text


def test_when_the_log_has_expired_the_stored_answer_is_told(
    member_client: FlaskClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.script(Answer("stored", thinking="hm"))
    run_id = begin(member_client)["run_id"]
    assert events_of(member_client.get(f"/api/runs/{run_id}/events").data)[-1].name == "done"
    wait_until(lambda: not run_service.live_runs())  # who is still making it here would read its log
    monkeypatch.setattr(keeper, "KEPT_SECONDS", -1)
    cast("memory.MemoryBroker", broker()).beat()
    told = events_of(member_client.get(f"/api/runs/{run_id}/events", headers={"Last-Event-ID": "4"}).data)
    assert [event.name for event in told] == ["start", "reasoning", "thought", "token", "done"]
    assert text_of(told) == "stored"
    assert all(event.id > 4 for event in told), "a reader must not take them for events it has seen"


def test_stop_closes_the_provider_and_keeps_what_came(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    start = begin(member_client)
    wait_for_words()
    stopped = time.monotonic()
    response = member_client.post(f"/api/runs/{start['run_id']}/stop", json={})
    assert response.status_code == 202
    wait_until(lambda: status_of(start["run_id"]) == "stopped")
    upstream.journal.wait_until_idle()
    assert time.monotonic() - stopped < 15
    assert upstream.journal.last.closed_early
    with reading() as session:
        message = session.get_one(Message, start["message_id"])
        entry = session.scalars(select(TokenUsage)).one()
        failures = session.scalars(select(ApiKey.last_error_code)).all()
    assert message.status == "stopped"
    assert message.text
    assert (entry.source, entry.outcome) == ("estimated", "stopped")
    assert entry.completion_tokens > 0
    assert set(failures) == {None}, "it is no failure of the key's"


def test_stopping_twice_or_late_changes_nothing(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    start = begin(member_client)
    wait_until(lambda: not run_service.live_runs())  # written down as complete it is a moment before
    response = member_client.post(f"/api/runs/{start['run_id']}/stop", json={})
    assert (response.status_code, response.json) == (202, {"status": "complete"})
    assert status_of(start["run_id"]) == "complete"


@pytest.mark.parametrize(("method", "path"), [("get", "events"), ("post", "stop")])
def test_somebody_elses_run_looks_absent(
    member_client: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    make_user: Callable[..., Any],
    client: FlaskClient,
    upstream: ScriptedUpstream,
    method: str,
    path: str,
) -> None:
    upstream.script(SLOW)
    run_id = begin(member_client)["run_id"]
    other = sign_in(make_user("other"))
    foreign = getattr(other, method)(f"/api/runs/{run_id}/{path}", json={} if method == "post" else None)
    absent = getattr(other, method)(f"/api/runs/{'0' * 26}/{path}", json={} if method == "post" else None)
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json["error"]["code"] == absent.json["error"]["code"]
    signed_out = getattr(client, method)(f"/api/runs/{run_id}/{path}", json={} if method == "post" else None)
    assert signed_out.status_code == 401


@pytest.mark.parametrize("given", ["-1", "x", "1.5", "9" * 30, "１"])
def test_an_event_id_that_is_none_is_refused(
    member_client: FlaskClient, upstream: ScriptedUpstream, given: str
) -> None:
    run_id = begin(member_client)["run_id"]
    response = member_client.get(f"/api/runs/{run_id}/events", query_string={"after": given})
    assert response.status_code == 400


def test_answers_in_the_making_are_capped(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(*[ENDLESS] * 3)
    runs = [begin(member_client)["run_id"] for _ in range(3)]
    refused = member_client.post("/api/chat", json={"message": "one more"})
    assert refused.status_code == 429
    assert refused.json is not None
    assert refused.json["error"]["code"] == "too_many_runs"
    assert refused.headers["Retry-After"]
    for run_id in runs:
        member_client.post(f"/api/runs/{run_id}/stop", json={})
    wait_until(lambda: not run_service.live_runs())


def test_answers_sent_for_in_the_same_moment_are_capped_too(
    app: Flask, member: User, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    upstream.default = ENDLESS
    clients = [sign_in(member) for _ in range(8)]

    def send(number: int) -> int:
        response = clients[number].post("/api/chat", json={"message": "go"}, buffered=False)
        response.close()
        return response.status_code

    assert sorted(at_once(8, send), key=str) == [200] * 3 + [429] * 5
    assert len(run_service.live_runs()) == 3


def test_the_next_message_waits_for_the_answer(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    start = begin(member_client)
    early = member_client.post("/api/chat", json={"message": "and", "conversation_id": start["conversation_id"]})
    assert early.status_code == 409
    assert early.json is not None
    assert early.json["error"]["code"] == "answer_running"


@pytest.mark.security("disabled-is-out", "demoted-mid-stream")
def test_a_disabled_person_is_cut_off_in_mid_stream(
    member_client: FlaskClient, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    start = begin(member_client)
    wait_for_words()
    with transaction() as session:
        session.execute(update(User).where(User.id == member.id).values(disabled=True))
    stop_service.look()
    wait_until(lambda: status_of(start["run_id"]) == "stopped")


def test_a_stream_ends_with_its_session(member_client: FlaskClient, member: User, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    start = begin(member_client)
    reader = iter(member_client.get(f"/api/runs/{start['run_id']}/events", buffered=False).response)
    next(reader)
    with transaction() as session:
        session.execute(delete(LoginSession).where(LoginSession.user_id == member.id))
    open_sessions.look()
    ended = time.monotonic()
    rest = b"".join(cast("Iterator[bytes]", reader))
    assert not {event.name for event in events_of(rest)} & {"done", "error"}
    assert time.monotonic() - ended < 15
    assert status_of(start["run_id"]) == "running"


def test_a_tick_keeps_the_text_so_far_and_renews_the_lease(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    start = begin(member_client)
    wait_for_words()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() + timedelta(seconds=1)))
    lease_service.tick()
    with reading() as session:
        message, run = session.get_one(Message, start["message_id"]), session.get_one(Run, start["run_id"])
    assert message.text.startswith("word")
    assert message.status == run.status == "running"
    assert run.lease_expires_at > utc_now() + timedelta(seconds=20)
    member_client.post(f"/api/runs/{start['run_id']}/stop", json={})
    wait_until(lambda: not run_service.live_runs())


def test_what_a_dead_worker_left_is_ended_kept_and_booked_once(
    member_client: FlaskClient, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("the whole text"))
    start = begin(member_client)
    wait_until(lambda: not run_service.live_runs())  # written down as complete it is a moment before
    _as_if_the_worker_had_died(start)
    lease_service.tick()
    lease_service.tick()
    with reading() as session:
        message = session.get_one(Message, start["message_id"])
        attempt = session.scalars(select(Attempt)).one()
        entry = session.scalars(select(TokenUsage)).one()
    assert (message.status, message.text, message.error_code) == ("interrupted", "the whole", "interrupted")
    assert attempt.state == "settled"
    assert (entry.source, entry.outcome, entry.user_id) == ("estimated", "interrupted", member.id)
    assert entry.completion_tokens > 0
    told = events_of(member_client.get(f"/api/runs/{start['run_id']}/events?after=0").data)
    assert told[-1].name in {"done", "error"}


def _as_if_the_worker_had_died(start: dict[str, Any]) -> None:
    with transaction() as session:
        long_ago = utc_now() - timedelta(seconds=1)
        session.execute(update(Run).values(status="running", lease_expires_at=long_ago, worker="dead"))
        of_it = Message.id == start["message_id"]
        session.execute(update(Message).where(of_it).values(status="running", text="the whole"))
        session.execute(update(Attempt).values(state="dispatched"))
    ledger.forget(true())


def test_shutdown_settles_what_is_running(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    start = begin(member_client)
    wait_for_words()
    run_service.shutdown()
    assert not run_service.live_runs()
    with reading() as session:
        assert session.get_one(Message, start["message_id"]).status == "interrupted"
        assert session.scalars(select(TokenUsage)).one().outcome == "interrupted"
