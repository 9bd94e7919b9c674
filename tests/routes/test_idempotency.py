"""Requests that are sent again under their `Idempotency-Key`: one answer, one entry in the ledger, the same reply."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from flask_app.database import in_transaction, reading, transaction, utc_now
from flask_app.models import Attempt, ProgramKey, Run, TokenUsage, User
from flask_app.services.gateway import program_keys
from flask_app.services.operations import upkeep_service
from flask_app.services.runs import reaper_service, run_service
from flask_app.services.site.windows import Rate, Windows
from tests.conftest import MakeUser
from tests.support import ledger
from tests.support.brokers import wait_until
from tests.support.gateway import Program, made
from tests.support.requests import logged
from tests.support.scripted_upstream import Answer, ErrorEvent, Gate, ScriptedUpstream, Status
from tests.support.together import at_once

APIS = ("complete", "respond", "message")
AGAIN = "Idempotent-Replayed"


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    asked = Program(app, made(member).secret)
    asked.headers["Idempotency-Key"] = "order-66"
    return asked


def entries() -> list[TokenUsage]:
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        return list(session.scalars(select(TokenUsage)))


def key() -> ProgramKey:
    with reading() as session:
        return session.scalars(select(ProgramKey)).one()


def code(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


@pytest.mark.parametrize("api", APIS)
def test_a_whole_reply_is_given_again_and_paid_for_once(program: Program, upstream: ScriptedUpstream, api: str) -> None:
    upstream.script(Answer("a secret answer"))
    first = getattr(program, api)()
    assert first.status_code == 200, first.text
    assert AGAIN not in first.headers
    wait_until(lambda: not run_service.live_runs())
    for again in (getattr(program, api)(), getattr(program, api)()):
        assert (again.status_code, again.mimetype) == (200, "application/json")
        assert (again.get_data(), again.headers[AGAIN]) == (first.get_data(), "true")
        assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert len(entries()) == len(upstream.journal.chats) == 1
    assert [row.attempts for row in logged()] == [1, 0, 0]


def test_without_a_key_each_request_is_its_own(program: Program, upstream: ScriptedUpstream) -> None:
    del program.headers["Idempotency-Key"]
    for _ in range(2):
        assert program.respond().status_code == 200
    assert len(entries()) == 2
    with reading() as session:
        assert session.scalars(select(ProgramKey)).all() == []


def test_nothing_that_is_kept_can_be_read_without_the_key_and_the_token(
    program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("a secret answer"))
    assert program.respond(input="a secret question").status_code == 200
    wait_until(lambda: key().reply is not None)
    row = ledger.row_of(key())
    assert b"secret" not in row["reply"]
    assert "secret" not in str(row)
    assert "order-66" not in str(row)
    stranger = program_keys.AskedUnder.of("sk-another", "order-66", b"", is_whole=True)
    with pytest.raises(InvalidTag):
        program_keys._opened(stranger, row["reply"])


def test_another_body_under_the_key_is_refused_by_name(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.respond().status_code == 200
    for other in (program.respond(input="another"), program.respond(stream=True), program.complete()):
        assert code(other) == (409, "idempotency_key_reused")
        assert other.headers["x-should-retry"] == "false"
    assert len(entries()) == len(upstream.journal.chats) == 1


def test_a_key_is_its_tokens_own(app: Flask, program: Program, make_user: MakeUser, upstream: ScriptedUpstream) -> None:
    other = Program(app, made(make_user("other")).secret)
    other.headers |= {"Idempotency-Key": program.headers["Idempotency-Key"]}
    for asks in (program, other):
        assert AGAIN not in asks.respond().headers
    assert len(entries()) == 2


@pytest.mark.parametrize("bad", ["", "x" * 256, "a b", "schlüssel"])
def test_what_is_no_key_is_refused(program: Program, upstream: ScriptedUpstream, bad: str) -> None:
    program.headers["Idempotency-Key"] = bad
    response = program.respond()
    assert code(response) == (400, "bad_idempotency_key")
    assert response.get_json()["error"]["param"] == "Idempotency-Key"
    assert upstream.journal.chats == []


def test_while_it_is_answered_the_client_is_told_to_come_back(program: Program, upstream: ScriptedUpstream) -> None:
    gate = Gate(1)
    upstream.script(Answer("one two three", gate=gate))
    replies: list[TestResponse] = []
    asking = threading.Thread(target=lambda: replies.append(program.respond()))
    asking.start()
    upstream.journal.wait_for(1)
    response = program.respond()
    assert code(response) == (409, "idempotency_key_in_use")
    assert int(response.headers["Retry-After"]) > 0
    assert "x-should-retry" not in response.headers, "the client's own package asks again by itself"
    gate.open()
    asking.join()
    wait_until(lambda: key().reply is not None)
    assert program.respond().get_data() == replies[0].get_data()
    assert len(entries()) == 1


def test_a_stream_is_not_told_twice_nor_paid_for_twice(program: Program, upstream: ScriptedUpstream) -> None:
    first = program.respond(stream=True)
    assert first.status_code == 200
    (entry,) = entries()
    again = program.respond(stream=True)
    assert code(again) == (409, "idempotency_key_used")
    assert first.headers["x-request-id"] in again.get_json()["error"]["message"]
    assert again.headers["x-should-retry"] == "false"
    assert [each.id for each in entries()] == [entry.id]


@pytest.mark.parametrize("stream", [False, True])
def test_what_failed_and_cost_nothing_is_answered_under_the_same_key(
    program: Program, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.script(Status(400), Status(400), Answer("at last"))
    replies = [program.respond(stream=stream) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [400, 400, 200]
    assert "last" in replies[-1].text
    assert [entry.outcome for entry in entries()] == ["complete"]


def test_what_was_refused_is_answered_under_the_same_key(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.respond(model="gpt-0").status_code == 404
    assert program.respond().status_code == 200


def test_what_broke_off_and_was_booked_is_not_made_again(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after="It began"))
    first = program.respond()
    assert first.status_code == 502
    (entry,) = entries()
    wait_until(lambda: key().reply_until is None)
    assert code(program.respond()) == (409, "idempotency_key_used")
    assert [each.id for each in entries()] == [entry.id]


def test_a_reply_that_was_not_kept_is_not_made_again(program: Program, upstream: ScriptedUpstream) -> None:
    """Its server died between the booking and the reply's row."""
    assert program.respond().status_code == 200
    wait_until(lambda: key().reply is not None)
    with transaction() as session:
        session.execute(update(ProgramKey).values(reply=None))
    assert code(program.respond()) == (409, "idempotency_key_in_use"), "it may be on its way"
    with transaction() as session:
        session.execute(update(Attempt).values(ended_at=utc_now() - program_keys.BEING_KEPT))
    assert code(program.respond()) == (409, "idempotency_key_used")
    assert len(entries()) == 1


def test_what_a_dead_worker_left_is_booked_once_and_not_made_again(
    program: Program, upstream: ScriptedUpstream
) -> None:
    gate = Gate(1)
    upstream.script(Answer("one two three", gate=gate))
    asking = threading.Thread(target=program.respond)
    asking.start()
    wait_until(lambda: run_service.live_runs() and run_service.live_runs()[0].completion.outcome.text)
    (live,) = run_service.live_runs()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now().replace(year=2020), worker="dead"))
    assert code(program.respond()) == (409, "idempotency_key_in_use"), "nobody knows yet that it is dead"
    assert in_transaction(lambda session: reaper_service.reap(session, live.begun.run_id))
    with transaction() as session:
        session.execute(update(Attempt).values(ended_at=utc_now() - program_keys.BEING_KEPT))
    assert code(program.respond()) == (409, "idempotency_key_used")
    gate.open()
    asking.join()
    assert [entry.outcome for entry in entries()] == ["interrupted"]
    assert len(upstream.journal.chats) == 1


def test_what_is_sent_at_once_is_answered_once(program: Program, upstream: ScriptedUpstream) -> None:
    """The database decides, whichever server hears it."""
    replies: list[Any] = at_once(8, lambda _: program.respond())
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses[0] == 200
    assert set(statuses) <= {200, 409}
    assert len(entries()) == len(upstream.journal.chats) == 1
    told = {reply.get_data() for reply in replies if reply.status_code == 200}
    assert len(told) == 1
    assert {code(reply)[1] for reply in replies if reply.status_code == 409} <= {"idempotency_key_in_use"}


def test_a_reply_that_is_given_again_is_no_new_message(
    app: Flask, program: Program, member: User, upstream: ScriptedUpstream
) -> None:
    assert program.respond().status_code == 200
    wait_until(lambda: key().reply is not None)
    windows: dict[str, Windows] = app.extensions["rate_windows"]
    for _ in range(10_000):
        windows["messages"].hit(member.id, Rate(10_000, 60))
    assert program.respond().status_code == 200
    program.headers["Idempotency-Key"] = "another"
    assert program.respond().status_code == 429


def age(**ages: timedelta) -> None:
    """Have the key's moments be so long ago."""
    with transaction() as session:
        session.execute(update(ProgramKey).values({name: utc_now() - by for name, by in ages.items()}))


def test_replies_go_after_an_hour_and_keys_after_a_day(program: Program, upstream: ScriptedUpstream) -> None:
    assert program.respond().status_code == 200
    wait_until(lambda: key().reply is not None)
    with transaction() as session:
        session.execute(update(Attempt).values(ended_at=utc_now() - timedelta(hours=1)))
    upkeep_service.tick()
    assert key().reply is not None
    age(created_at=timedelta(hours=2), reply_until=timedelta(seconds=1))
    upkeep_service.tick()
    assert key().reply is None
    assert code(program.respond()) == (409, "idempotency_key_used")
    age(created_at=timedelta(days=1, seconds=1))
    upkeep_service.tick()
    with reading() as session:
        assert session.scalars(select(ProgramKey)).all() == []
