"""What becomes of an answer whose program leaves, where its token has it made to its end."""

import dataclasses
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_app import config
from flask_app.database import reading
from flask_app.models import TokenUsage, User
from flask_app.services.gateway import program_answers, request_log
from flask_app.services.runs import run_service
from flask_app.services.tokens.token_access_service import CONTINUE, Access
from flask_app.services.tokens.token_service import Made
from flask_app.web import long_bodies
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import HELLO, Program, made
from tests.support.requests import only
from tests.support.scripted_upstream import CHAT, Answer, Continued, Gate, ScriptedUpstream, Stall, Usage
from tests.support.upstream_choices import Several
from tests.support.upstream_completions import COMPLETIONS

TEXT = "word " * 60
USED = Usage(prompt=11, completion=777)
ENDLESS = Answer("word " * 20_000, tokens_per_second=50)


@pytest.fixture
def token(member: User, upstream: ScriptedUpstream) -> Made:
    return made(member, access=Access(on_disconnect=CONTINUE))


@pytest.fixture
def program(app: Flask, token: Made) -> Program:
    return Program(app, token.secret)


def left(program: Program, api: str = "complete", **fields: Any) -> TestResponse:
    """Ask, hear the first words, and leave while it is being made."""
    response: TestResponse = getattr(program, api)(stream=True, buffered=False, **fields)
    next(response.iter_encoded())
    assert len(run_service.live_runs()) == 1
    response.close()
    return response


def entry() -> TokenUsage:
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        return session.scalars(select(TokenUsage)).one()


@pytest.mark.parametrize("api", ["complete", "respond", "message", "go_on"])
def test_it_is_made_to_its_end_and_billed_as_its_provider_counts(
    program: Program, upstream: ScriptedUpstream, api: str
) -> None:
    gate = Gate(1)
    upstream.script(Answer(TEXT, gate=gate, usage=USED), path=CHAT)
    upstream.script(Continued(TEXT, tokens_per_second=20, usage=USED), path=COMPLETIONS)
    left(program, api)
    gate.open()
    booked = entry()
    assert (booked.outcome, booked.source, booked.prompt_tokens, booked.completion_tokens) == (
        *("complete", "reported"),
        *(USED.prompt, USED.completion),
    )
    assert not upstream.journal.last.closed_early
    row = only()
    assert (row.status, row.error_code, row.attempts, row.attempt_id) == (200, "left", 1, booked.attempt_id)
    assert 0 < row.bytes_sent < len(TEXT.split()) * 100


def test_so_are_several_choices(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Several(TEXT))
    gone = program.complete(stream=True, buffered=False, n=2)
    gone.close()
    booked = entry()
    assert (booked.outcome, booked.completion_tokens) == ("complete", upstream.journal.last.billed.completion)  # type: ignore[union-attr]


def test_without_the_choice_it_ends_there(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    left(Program(app, made(member).secret))
    booked = entry()
    assert (booked.outcome, booked.source) == ("left", "estimated")
    assert booked.completion_tokens < USED.completion
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    assert (only().status, only().error_code) == (200, "left")


@pytest.mark.parametrize(("stream", "status"), [(True, 200), (False, 499)])
def test_who_leaves_in_a_silence_is_told_as_having_left(
    app: Flask, program: Program, upstream: ScriptedUpstream, stream: bool, status: int
) -> None:
    """Nothing is written to them: a heartbeat finds that nobody is there."""
    here, there = socket.socketpair()
    there.close()
    gate = Gate(1)
    upstream.script(Answer(TEXT, gate=gate, usage=USED))
    with here, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(
            app.test_client(use_cookies=False).post,
            "/v1/chat/completions",
            json={"model": "deepseek-flash", "messages": HELLO, "stream": stream},
            headers=program.headers,
            environ_overrides={"gunicorn.socket": here},
            buffered=True,
        )
        while not asked.done():
            program_answers._logs.beat()
            time.sleep(0.01)
    assert len(run_service.live_runs()) == 1
    gate.open()
    assert (entry().outcome, entry().completion_tokens) == ("complete", USED.completion)
    assert (only().status, only().error_code) == (status, "left")


def test_who_stays_has_not_left(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hello to a program."))
    assert "[DONE]" in program.complete(stream=True).text
    assert only().error_code is None


def test_its_person_reads_all_of_it_later(
    program: Program, token: Made, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert member_client.put(f"/api/tokens/{token.token.id}/words", json={"hours": 1}).status_code == 200
    gate = Gate(1)
    upstream.script(Answer(TEXT, gate=gate))
    left(program)
    gate.open()
    entry()
    kept = member_client.get(f"/api/requests/{only().id}/words").get_json()
    assert (kept["text"], kept["cut"]) == (TEXT, False)


def test_revoking_the_token_ends_it(
    program: Program, token: Made, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    left(program)
    assert member_client.delete(f"/api/tokens/{token.token.id}").status_code == 204
    assert (entry().outcome, entry().source) == ("stopped", "estimated")
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    assert only().error_code == "left"


def test_the_end_of_a_process_ends_it(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    left(program)
    run_service.shutdown()
    request_log.finish()
    assert (entry().outcome, entry().source) == ("interrupted", "estimated")
    assert (only().status, only().error_code) == (200, "left")


def test_a_deadline_ends_it(program: Program, upstream: ScriptedUpstream) -> None:
    config.install(dataclasses.replace(config.current(), upstream_idle_seconds=3))
    upstream.script(Stall(after="It began"))
    left(program)
    assert (entry().outcome, entry().source) == ("interrupted", "estimated")
    assert only().error_code == "left"


def test_it_counts_as_one_of_the_answers_at_once(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    access = Access(on_disconnect=CONTINUE, parallel_requests=1)
    kept, gate = Program(app, made(member, access=access).secret), Gate(1)
    upstream.script(Answer(TEXT, gate=gate))
    left(kept)
    assert kept.complete().get_json()["error"]["code"] == "too_many_runs_of_token"
    gate.open()
    assert entry().outcome == "complete"
    assert kept.complete().status_code == 200


def test_a_long_request_ends_with_its_program(program: Program, upstream: ScriptedUpstream) -> None:
    """A few of them would keep the room for all others."""
    upstream.script(ENDLESS)
    left(program, messages=[{"role": "user", "content": "x" * (2 << 20)}])
    assert entry().outcome == "left"
    assert long_bodies.held() == 0


def test_the_choice_holds_from_the_next_request_on(
    program: Program, token: Made, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    gate, address = Gate(1), f"/api/tokens/{token.token.id}/access"
    upstream.script(Answer(TEXT, gate=gate), ENDLESS)
    response = program.complete(stream=True, buffered=False, messages=HELLO)
    stop: dict[str, Any] = {"requests_per_minute": None, "networks": [], "on_disconnect": "stop"}
    assert member_client.put(address, json=stop).status_code == 200
    response.close()
    gate.open()
    assert entry().outcome == "complete"
    left(program)
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        outcomes = session.scalars(select(TokenUsage.outcome).order_by(TokenUsage.id)).all()
    assert outcomes == ["complete", "left"]
