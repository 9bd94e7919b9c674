"""Each request that comes with a valid token has one row in the log, however it ends, and nothing of its words."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_app.database import reading
from flask_app.models import Attempt, ProgramRequest, User
from flask_app.services.gateway import request_log
from flask_app.services.providers import model_service
from flask_app.services.runs import run_service
from flask_app.services.site.windows import Rate, Windows
from tests.conftest import MakeUser
from tests.support import ledger
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.keys import keep_key, stored_key
from tests.support.requests import logged, only
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Status

SLOW = Answer("word " * 2000, tokens_per_second=100)


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answers_row_says_who_asked_what_and_how_it_went(
    program: Program, member: User, upstream: ScriptedUpstream, stream: bool
) -> None:
    upstream.script(Answer("Hi there", actual_model="deepseek-flash-2"))
    response = program.complete(stream=stream)
    row = only()
    assert (row.user_id, row.call, row.model, row.actual_model) == (
        member.id,
        "chat.completions",
        "deepseek-flash",
        "deepseek-flash-2",
    )
    assert (row.status, row.status_class, row.error_code, row.attempts) == (200, 2, None, 1)
    assert row.request_id == response.headers["x-request-id"]
    assert row.bytes_sent == len(response.get_data())
    assert row.address == "127.0.0.1"
    assert row.first_token_ms is not None
    assert 0 <= row.first_token_ms <= row.duration_ms
    with reading() as session:
        attempt = session.scalars(select(Attempt)).one()
    assert (row.attempt_id, row.token_id) == (attempt.id, attempt.token_id)


def test_nothing_of_the_words_is_in_it(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("a secret answer"))
    program.complete(messages=[{"role": "user", "content": "a secret question"}])
    assert "secret" not in str(ledger.row_of(only()))


def asks(program: Program) -> dict[str, Callable[[], TestResponse]]:
    """Requests that no provider hears of."""
    return {
        "models": lambda: program.get("/v1/models"),
        "one model": lambda: program.get("/v1/models/deepseek-flash"),
        "a count": lambda: program.post("/v1/messages/count_tokens", {"model": "deepseek-flash", "messages": [HELLO]}),
        "an unknown model": lambda: program.complete(model="gpt-0"),
        "a response of an unknown model": lambda: program.respond(model="gpt-0"),
        "a message to an unknown model": lambda: program.message(model="gpt-0"),
        "a bad field": lambda: program.complete(temperature=9),
        "what is not taken": lambda: program.complete(messages=[{"role": "user"}]),
        "no JSON": lambda: program.post("/v1/chat/completions", "x" * 10),
        "no address": lambda: program.get("/v1/files"),
        "another method": lambda: program.get("/v1/chat/completions"),
    }


HELLO = {"role": "user", "content": "hello"}
EXPECTED = {
    "models": ("models", None, 200, None),
    "one model": ("models", "deepseek-flash", 200, None),
    "a count": ("messages.count_tokens", "deepseek-flash", 200, None),
    "an unknown model": ("chat.completions", "gpt-0", 404, "model_not_found"),
    "a response of an unknown model": ("responses", "gpt-0", 404, "model_not_found"),
    "a message to an unknown model": ("messages", "gpt-0", 404, "model_not_found"),
    "a bad field": ("chat.completions", None, 400, "invalid_field"),
    "what is not taken": ("chat.completions", "deepseek-flash", 400, "missing_content"),
    "no JSON": ("chat.completions", None, 400, "invalid_field"),
    "no address": ("other", None, 404, "not_found"),
    "another method": ("other", None, 405, "method_not_allowed"),
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_no_provider_hears_of_has_a_row_too(program: Program, upstream: ScriptedUpstream, kind: str) -> None:
    response = asks(program)[kind]()
    row = only()
    assert (row.call, row.model, row.status, row.error_code) == EXPECTED[kind]
    assert (row.status, row.bytes_sent) == (response.status_code, len(response.get_data()))
    assert (row.attempts, row.attempt_id, row.first_token_ms) == (0, None, None)
    assert upstream.journal.chats == []


def test_who_is_refused_without_end_fills_no_log(
    app: Flask, member: User, upstream: ScriptedUpstream, admin_client: PageClient, make_user: MakeUser
) -> None:
    admin_client.put("/api/admin/rates/site", json={"requests": {"amount": 3, "seconds": 60}})
    program = Program(app, made(member).secret)
    assert program.complete().status_code == 200, "answers are counted as messages"
    replies = [program.post("/v1/chat/completions", {}) for _ in range(6)]
    assert [reply.status_code for reply in replies] == [400, 400, 400, 400, 429, 429]
    assert replies[-1].get_json()["error"]["code"] == "rate_limit_exceeded"
    assert 0 < int(replies[-1].headers["Retry-After"]) <= 60
    assert program.complete().status_code == 429
    assert program.get("/v1/models").status_code == 429
    assert [(row.status, row.error_code) for row in logged()] == [(200, None)] + [(400, "invalid_field")] * 4
    assert Program(app, made(make_user("another")).secret).complete().status_code == 200


def test_what_is_replied_again_counts_against_no_rate_and_fills_no_log(
    app: Flask, member: User, upstream: ScriptedUpstream, admin_client: PageClient
) -> None:
    admin_client.put("/api/admin/rates/site", json={"requests": {"amount": 3, "seconds": 60}})
    program = Program(app, made(member).secret)
    program.headers["Idempotency-Key"] = "one"
    assert program.complete().status_code == 200
    wait_until(lambda: not run_service.live_runs())
    replies = [program.complete() for _ in range(6)]
    assert [(reply.status_code, "Idempotent-Replayed" in reply.headers) for reply in replies] == [(200, True)] * 6
    assert program.get("/v1/models").status_code == 200
    assert [row.call for row in logged()] == ["chat.completions"] * 4 + ["models"]


def test_who_has_no_valid_token_has_none(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    token = made(member)
    for secret in ("sk-" + "0" * 48, "", token.secret[:-1]):
        assert Program(app, secret).complete().status_code == 401
    assert app.test_client().get("/v1/models").status_code == 401
    assert logged() == []


def test_one_too_many_has_a_row(app: Flask, program: Program, member: User) -> None:
    windows: dict[str, Windows] = app.extensions["rate_windows"]
    for _ in range(10_000):
        windows["messages"].hit(member.id, Rate(10_000, 60))
    assert program.complete().status_code == 429
    row = only()
    assert (row.status, row.error_code, row.model) == (429, "rate_limit_exceeded", "deepseek-flash")


@pytest.mark.parametrize("ask", ["complete", "message"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (Status(400), 400, "upstream_rejected"),
        (Status(429), 503, "upstream_busy"),
        (Status(500), 502, "upstream_failed"),
    ],
)
def test_a_provider_that_fails_is_told_by_its_code(
    program: Program, upstream: ScriptedUpstream, ask: str, stream: bool, script: Any, status: int, code: str
) -> None:
    upstream.script(script, always=True)
    response = getattr(program, ask)(stream=stream)
    row = only()
    assert row.status == response.status_code
    assert ask == "message" or row.status == status
    assert row.error_code == code
    assert row.attempts == len(upstream.journal.chats) >= 1


def test_each_request_to_a_provider_is_counted(program: Program, upstream: ScriptedUpstream) -> None:
    model_service.available()
    keep_key(stored_key("environment").provider_id, "second")
    upstream.script(Status(503))
    assert program.complete().status_code == 200
    row = only()
    assert (row.status, row.attempts, row.error_code) == (200, 2, None)
    with reading() as session:
        states = dict(session.execute(select(Attempt.id, Attempt.state)).all())
    assert row.attempt_id
    assert states[row.attempt_id] == "settled"


def test_what_breaks_off_in_mid_stream_has_status_200_and_a_code(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after="It began"))
    response = program.complete(stream=True)
    row = only()
    assert (row.status, row.error_code, row.bytes_sent) == (200, "upstream_failed", len(response.get_data()))


def test_who_leaves_has_one_row_that_says_so(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(SLOW)
    response = program.complete(stream=True, buffered=False)
    heard = next(response.iter_encoded())
    response.close()
    row = only()
    assert (row.status, row.error_code, row.attempts) == (200, "left", 1)
    assert row.bytes_sent >= len(heard)
    assert row.first_token_ms is not None


def test_the_end_of_a_process_loses_none(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(SLOW)
    response = program.complete(stream=True, buffered=False)
    next(response.iter_encoded())
    run_service.shutdown()
    request_log.finish()  # nobody has read on: the reply is still open
    row = only()
    assert (row.status, row.error_code, row.attempts) == (200, "restarting", 1)
    with reading() as session:
        assert row.attempt_id == session.scalars(select(Attempt.id)).one()
    response.close()
    assert [each.id for each in logged()] == [row.id]


def test_two_people_are_never_taken_for_one(
    app: Flask, member: User, make_user: MakeUser, upstream: ScriptedUpstream
) -> None:
    people = [member, make_user("other"), member]
    for person in people:
        Program(app, made(person).secret).get("/v1/models")
    assert [row.user_id for row in logged()] == [person.id for person in people]


def test_a_reply_does_not_wait_for_its_row(program: Program, upstream: ScriptedUpstream) -> None:
    program.complete()
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        assert session.scalars(select(ProgramRequest)).all() == [], "it waits for others"
    assert len(logged()) == 1
