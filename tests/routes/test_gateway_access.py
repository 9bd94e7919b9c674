"""Who gets in at the gateway, how often, and until when."""

import dataclasses
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import reading, transaction, utc_now
from flask_app.models import AccessToken, Attempt, Run, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import user_admin_service
from flask_app.services.providers import key_service
from flask_app.services.runs import reaper_service, run_service, stop_service
from flask_app.services.tokens import token_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import HELLO, Program, made, payloads
from tests.support.limits import limit
from tests.support.scripted_upstream import Answer, ScriptedUpstream

SLOW = Answer("word " * 2000, tokens_per_second=50)


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]


@pytest.mark.security("bearer-fuzzed")
@pytest.mark.parametrize(
    "bearer",
    [
        *("", "Bearer", "Bearer ", "Bearer sk-", "Bearer sk-" + "0" * 48, "Bearer '", "Bearer ' OR 1=1 --"),
        *("Bearer " + "x" * 4000, "Basic c2s=", "Bearer é", "Bearer sk-" + "０" * 48),
    ],
)
def test_no_other_value_opens_the_gateway(app: Flask, program: Program, bearer: str) -> None:
    client = app.test_client()
    for header in ("Authorization", "X-Api-Key", "Api-Key", "X-Authorization"):
        value = bearer.encode().decode("latin-1")
        response = client.post("/v1/chat/completions", json={}, headers={header: value})
        assert code(response) == (401, "invalid_api_key")
    assert code(client.get("/v1/models")) == (401, "invalid_api_key")


@pytest.mark.security("shared-beginnings")
def test_a_part_of_a_token_or_its_digest_is_none(app: Flask, member: User, program: Program) -> None:
    secret = made(member).secret
    with reading() as session:
        digests = list(session.scalars(select(AccessToken.digest)))
    for wrong in (secret[:-1], secret + "0", secret.upper(), secret[3:], *digests, f"sk-{digests[0][:48]}"):
        assert code(Program(app, wrong).get("/v1/models")) == (401, "invalid_api_key")
    assert Program(app, secret).get("/v1/models").status_code == 200


@pytest.mark.security("token-shown-once")
def test_only_a_digest_is_stored(member: User) -> None:
    made_now = made(member)
    with reading() as session:
        (token,) = session.scalars(select(AccessToken))
    assert made_now.secret[3:-4] not in repr(vars(token))
    assert token.hint == made_now.secret[-4:]
    assert len(made_now.secret) - len("sk-") >= 160 // 4


@pytest.mark.security("token-opens-the-gateway")
def test_a_token_opens_nothing_else_and_a_session_not_the_gateway(
    app: Flask, program: Program, member_client: PageClient
) -> None:
    for path in ("/api/me", "/api/usage/summary", "/api/tokens", "/api/conversations"):
        assert program.get(path).status_code == 401
    assert program.get("/").status_code == 302
    asked = {"model": "deepseek-flash", "messages": HELLO}
    assert code(member_client.post("/v1/chat/completions", json=asked)) == (401, "invalid_api_key")
    assert code(member_client.get("/v1/models")) == (401, "invalid_api_key")


def test_a_cookie_beside_the_token_is_not_looked_at(program: Program, member_client: PageClient) -> None:
    headers = program.headers | {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    asked = {"model": "deepseek-flash", "messages": HELLO}
    member_client.csrf_token = ""
    response = member_client.post("/v1/chat/completions", json=asked, headers=headers)
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


@pytest.mark.security("unknown-refused")
def test_what_is_not_there_is_said_in_the_gateways_shape(program: Program) -> None:
    for path in ("/v1/nothing", "/v1/", "/v1"):  # the last two are what a client is given as its address
        assert code(program.get(path, Accept="text/html")) == (404, "not_found"), path
    assert code(program.get("/v1/chat/completions")) == (405, "method_not_allowed")


@pytest.mark.security("disabled-is-out")
@pytest.mark.parametrize("end", ["expires_at", "revoked_at", "disabled"])
def test_a_token_that_has_ended_opens_nothing(app: Flask, member: User, program: Program, end: str) -> None:
    assert program.get("/v1/models").status_code == 200
    with transaction() as session:
        if end == "disabled":
            session.execute(update(User).where(User.id == member.id).values(disabled=True))
        else:
            session.execute(update(AccessToken).values({end: utc_now() - timedelta(seconds=1)}))
    assert code(program.get("/v1/models")) == (401, "invalid_api_key")


@pytest.mark.security("disabled-is-out")
@pytest.mark.parametrize("how", ["revoke", "disable", "elsewhere"])
def test_what_is_being_answered_ends_with_the_token_within_seconds(
    app: Flask, admin: User, member: User, upstream: ScriptedUpstream, how: str
) -> None:
    token = made(member)
    upstream.script(SLOW)
    response = Program(app, token.secret).complete(stream=True, buffered=False)
    wait_until(lambda: run_service.live_runs() and run_service.live_runs()[0].completion.outcome.text)
    began = time.monotonic()
    if how == "revoke":
        token_service.revoke_own(Actor(member), token.token.id)
    elif how == "disable":
        user_admin_service.change(Actor(admin), member.id, disabled=True)
    else:  # by a process that does not make it
        with transaction() as session:
            session.execute(update(User).where(User.id == member.id).values(disabled=True))
        stop_service.look()
    *_, last = payloads(response)
    assert time.monotonic() - began < 15
    assert "invalid_api_key" in last
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    wait_until(lambda: not run_service.live_runs())


def test_a_program_whose_answer_another_server_ended_is_not_told_that_its_token_is_no_good(
    app: Flask, member: User, upstream: ScriptedUpstream
) -> None:
    """This server was away from the database for longer than a lease: its run is over, and forgotten."""
    upstream.script(SLOW)
    reply = Program(app, made(member).secret).complete(stream=True, buffered=False)
    wait_until(lambda: run_service.live_runs() and run_service.live_runs()[0].completion.outcome.text)
    (live,) = run_service.live_runs()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(minutes=1)))
    assert reaper_service.reap_all()
    with reading() as session:
        assert session.get(Run, live.begun.run_id) is None
    stop_service.look()
    *_, last = payloads(reply)
    assert '"code":"restarting"' in last


def test_a_token_that_is_revoked_in_the_moment_of_asking_begins_nothing(
    app: Flask, member: User, program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    visited = token_service.visit
    monkeypatch.setattr(token_service, "visit", lambda *told: _then_revoked(visited(*told), member))
    assert code(program.complete()) == (401, "invalid_api_key")
    with reading() as session:
        assert session.scalars(select(Attempt)).all() == []


def _then_revoked(visit: Any, member: User) -> Any:
    token_service.revoke_own(Actor(member), visit.token_id)
    return visit


def test_last_used_is_noted_at_most_once_a_minute(program: Program, query_count: Any) -> None:
    def used() -> Any:
        with reading() as session:
            return session.scalar(select(AccessToken.last_used_at))

    assert used() is None
    program.get("/v1/models")
    first = used()
    assert first is not None
    with query_count() as statements:
        program.get("/v1/models")
    assert used() == first
    assert not [each for each in statements if each.startswith("UPDATE")]
    with transaction() as session:
        session.execute(update(AccessToken).values(last_used_at=first - timedelta(minutes=2)))
    program.complete()
    assert used() > first


def test_answers_count_as_the_persons_messages_do(
    program: Program, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    config.install(dataclasses.replace(config.current(), chat_rate_limit="2 per minute"))
    assert program.complete().status_code == 200
    assert member_client.post("/api/chat", json={"message": "hello"}).status_code == 200
    response = program.complete()
    assert code(response) == (429, "rate_limit_exceeded")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.security("runs-capped")
def test_answers_at_once_count_with_those_of_the_chat(
    app: Flask, member: User, program: Program, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=1))
    upstream.script(SLOW)
    response = program.complete(stream=True, buffered=False)
    assert code(program.complete()) == (429, "too_many_runs")
    assert member_client.post("/api/chat", json={"message": "hello"}).status_code == 429
    response.close()
    wait_until(lambda: not run_service.live_runs())
    assert program.complete().status_code == 200


def test_a_budget_that_is_used_up_holds_for_programs(program: Program, upstream: ScriptedUpstream) -> None:
    limit(100)
    response = program.complete()
    assert code(response) == (429, "insufficient_quota")
    assert response.headers["x-should-retry"] == "false"
    assert upstream.journal.chats == []


@pytest.mark.security("requests-bounded")
def test_an_answer_is_shortened_to_what_is_left_and_to_what_was_asked(
    program: Program, upstream: ScriptedUpstream
) -> None:
    program.complete(max_tokens=10)
    assert upstream.journal.last.body["max_tokens"] == 10
    limit(2000)
    program.complete()
    assert 256 <= upstream.journal.last.body["max_tokens"] < 2000


@pytest.mark.security("requests-bounded")
def test_the_worst_case_of_prompt_and_tools_is_reserved(program: Program, upstream: ScriptedUpstream) -> None:
    parameters = {"type": "object", "properties": {f"字段{number}": {"type": "string"} for number in range(50)}}
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    program.complete(tools=[tool], max_tokens=10)
    with reading() as session:
        attempt = session.scalars(select(Attempt)).one()
    assert (attempt.reserved_tokens or 0) > len(str(parameters)) + 10
    assert attempt.channel == "api"
    assert attempt.token_id is not None


@pytest.mark.parametrize("was_there", [False, True])
def test_the_model_on_this_machine_answers_to_its_own_name_alone(
    program: Program, tmp_path: Path, *, was_there: bool
) -> None:
    if was_there:
        program.get("/v1/models")
    (tmp_path / "tiny.gguf").touch()
    here = dataclasses.replace(config.current(), deepseek_api_key=None, local_model_path=tmp_path / "tiny.gguf")
    config.install(here)
    if not key_service.local_model().available():
        pytest.skip("the local model's engine is not installed")
    assert code(program.complete(model="deepseek-flash")) == (404, "model_not_found")
    assert [each["id"] for each in program.get("/v1/models").get_json()["data"]] == ["tiny"]
