"""What somebody is told who has as many answers as they may, or sends twice, whatever else stands in the way."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import reading, transaction
from flask_app.domain import budget
from flask_app.models import ApiKey, Attempt, Message, Run, TokenUsage, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.chat.prompts import Turn
from flask_app.services.conversations import temporary_service
from flask_app.services.conversations.temporary_service import Talk
from flask_app.services.runs import run_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.ledger import unsound
from tests.support.limits import LEAST, limit
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream
from tests.support.temporary import ask

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")


def leave_no_room(why: str, member: User) -> None:
    if why == "budget":
        limit(LEAST + budget.MIN_ANSWER, scope="user", scope_id=member.id)
    with transaction() as session:
        session.execute(update(ApiKey).values(max_concurrent=1 if why == "key" else None))


@pytest.mark.parametrize("why", ["key", "budget"])
def test_who_has_as_many_answers_as_they_may_is_told_that(
    app: Flask, member: User, member_client: PageClient, upstream: ScriptedUpstream, why: str
) -> None:
    program = Program(app, made(member).secret)
    config.install(dataclasses.replace(config.current(), max_runs_per_user=1))
    upstream.script(Answer(gate=Gate(1)))
    first = program.complete(stream=True, buffered=False)
    assert first.status_code == 200
    leave_no_room(why, member)
    codes = [program.complete().get_json()["error"]["code"], error_code(ask(member_client))]
    first.close()
    assert codes == ["too_many_runs"] * 2


@pytest.mark.parametrize("why", ["budget", "key"])
@pytest.mark.parametrize("kind", ["chat", "temporary"])
def test_the_second_of_two_equal_sends_has_the_first_ones_answer(
    member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, why: str, kind: str
) -> None:
    """Both have looked for an earlier one before either is written."""
    upstream.script(Answer(gate=Gate(1)))
    leave_no_room(why, member)
    talk = Talk(turns=[Turn("user", "hello")], model=None, thinking=False, idempotency_key="same")
    draft = Draft(text="hello", idempotency_key="same")

    def send() -> Any:
        return (
            chat_service.send(member, draft, ORIGIN) if kind == "chat" else temporary_service.ask(member, talk, ORIGIN)
        )

    first = send()
    service: Any = chat_service if kind == "chat" else temporary_service
    found, looks = service._earlier, list[None]()

    def not_yet(*arguments: Any) -> Any:
        looks.append(None)
        return found(*arguments) if len(looks) > 1 else None

    monkeypatch.setattr(service, "_earlier", not_yet)
    assert send().run_id == first.run_id
    run_service.shutdown()


def test_an_answer_that_another_machine_has_ended_stays_as_that_wrote_it_and_is_booked(
    member: User, upstream: ScriptedUpstream
) -> None:
    """The run has ended, and nobody has booked its attempt yet."""
    gate = Gate(1)
    upstream.script(Answer("one two three", gate=gate))
    begun = chat_service.send(member, Draft(text="hello"), ORIGIN)
    wait_until(lambda: bool(run_service.live_runs()[0].completion.outcome.text))
    with transaction() as session:
        session.execute(update(Run).values(status="interrupted"))
        session.execute(update(Message).where(Message.id == begun.message_id).values(status="interrupted", text="kept"))
    gate.open()
    wait_until(lambda: not run_service.live_runs())
    with reading() as session:
        message = session.get_one(Message, begun.message_id)
        assert (message.status, message.text) == ("interrupted", "kept")
        assert session.scalars(select(Run.status)).all() == ["interrupted"]
        assert session.scalars(select(Attempt.state)).all() == ["settled"]
        assert len(session.scalars(select(TokenUsage)).all()) == 1
    assert unsound() == []
