"""Programs that ask in the same moment: they are counted one by one, and a token is revoked before or after."""

import dataclasses
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.engine import ExceptionContext

from flask_app import config
from flask_app.database import engine, fetching, reading, transaction, writer
from flask_app.models import Attempt, Run, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Made
from tests.support.brokers import wait_until
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

MOMENT = 0.3  # seconds in which a request comes as far as it can


@pytest.fixture
def token(member: User) -> Made:
    return made(member)


@pytest.fixture
def program(app: Flask, token: Made, upstream: ScriptedUpstream) -> Program:
    return Program(app, token.secret)


@pytest.mark.security("runs-capped")
def test_of_requests_in_the_same_moment_as_many_begin_as_their_person_may_have(
    program: Program, upstream: ScriptedUpstream
) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=3))
    upstream.script(*[Answer(gate=Gate(1))] * 8)
    with ThreadPoolExecutor(8) as threads:
        begun = [threads.submit(program.complete, stream=True, buffered=False) for _ in range(8)]
        replies = [each.result() for each in begun]
    assert sorted(reply.status_code for reply in replies) == [200] * 3 + [429] * 5
    refused = {reply.get_json()["error"]["code"] for reply in replies if reply.status_code == 429}
    assert refused == {"too_many_runs"}
    with reading() as session:
        assert len(session.scalars(select(Run)).all()) == 3
        assert len(session.scalars(select(Attempt)).all()) == 3
    upstream.forget_scripts()
    for reply in replies:
        reply.close()


def test_a_token_that_is_being_revoked_begins_nothing(program: Program, member: User, token: Made) -> None:
    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            token_service.revoke(session, Actor(member), token.token.id)
            session.flush()
            asked = threads.submit(program.complete)
            wait_until_it_waits(asked)
        assert refused(asked)


def test_who_asks_and_who_revokes_take_the_same_rows_in_one_order(program: Program, member: User, token: Made) -> None:
    """Nothing is broken off, where one begins in the middle of the other."""
    if engine().dialect.name == "sqlite":
        pytest.skip("it has one writer")
    begun: list[Future[Any]] = []
    failures: list[object] = []

    def ask_meanwhile(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE access_tokens") and not begun:
            begun.append(threads.submit(program.complete))
            wait_until_it_waits(begun[0])

    def note(failure: ExceptionContext) -> None:
        failures.append(failure.original_exception)

    event.listen(writer(), "before_cursor_execute", ask_meanwhile)
    event.listen(writer(), "handle_error", note)
    try:
        with ThreadPoolExecutor(1) as threads:
            token_service.revoke_own(Actor(member), token.token.id)
            (asked,) = begun
            assert refused(asked)
    finally:
        event.remove(writer(), "before_cursor_execute", ask_meanwhile)
        event.remove(writer(), "handle_error", note)
    assert failures == []


def refused(asked: Future[Any]) -> bool:
    """Was it told that its token is none, and nothing begun?"""
    reply = asked.result()
    with reading() as session:
        begun = [*session.scalars(select(Attempt)), *session.scalars(select(Run))]
    return (reply.status_code, reply.get_json()["error"]["code"], begun) == (401, "invalid_api_key", [])


def wait_until_it_waits(asked: Future[Any]) -> None:
    if engine().dialect.name == "sqlite":
        time.sleep(MOMENT)
    else:
        wait_until(somebody_waits)
    assert not asked.done()


def somebody_waits() -> bool:
    with fetching() as connection:
        (_, waiting) = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")).one()
        return int(waiting) > 0
