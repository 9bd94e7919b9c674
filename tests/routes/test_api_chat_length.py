"""Answers without end, and conversations that no model can read: bounded, told, and booked for what they were."""

import tracemalloc
from typing import Any

import pytest
from sqlalchemy import func, select

from flask_app import config
from flask_app.database import reading, transaction, utc_now
from flask_app.domain.events import estimate_tokens
from flask_app.models import ApiKey, Attempt, Conversation, Message, Run, TokenUsage, User
from flask_app.services.chat import prompts
from flask_app.upstream import room
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, Endless, ScriptedUpstream, Status

LONG = "long " * 39_000  # what one message may have, nearly


def ask(client: PageClient, **fields: Any) -> Any:
    headers = {"Accept": "application/json", "Accept-Language": "en"}
    return client.post("/api/chat", json={"message": "hello"} | fields, headers=headers)


def count(kind: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


def long_conversation(user: User, messages: int) -> str:
    with transaction() as session:
        session.add(conversation := Conversation(user_id=user.id, title="long"))
        session.flush()
        parent: Message | None = None
        for number in range(messages):
            session.add(
                message := Message(
                    conversation_id=conversation.id,
                    parent_id=parent.id if parent else None,
                    role="assistant" if number % 2 else "user",
                    text=LONG,
                    created_at=utc_now(),
                )
            )
            session.flush()
            parent = message
    return conversation.id


@pytest.mark.parametrize("kind", ["content", "reasoning_content"])
def test_an_answer_without_end_is_cut_and_booked_as_an_estimate(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(room, "LONGEST", 50_000)  # and what one read may bring beyond it
    upstream.script(Endless("word " * 200, kind=kind))
    answer = ask(member_client).json
    assert (answer["status"], answer["finish_reason"], answer["error"]) == ("complete", "length", None)
    text = answer["text"] + answer["reasoning"]
    assert 45_000 < len(text) < 150_000
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early, "the provider is hung up on"
    with reading() as session:
        (entry,) = session.scalars(select(TokenUsage))
        (attempt,) = session.scalars(select(Attempt))
    assert (entry.source, entry.completion_tokens) == ("estimated", estimate_tokens(text))
    assert attempt.state == "settled"
    assert ask(member_client).json["status"] == "complete", "the next answer is not touched by it"


def test_memory_stays_flat_while_an_answer_finds_no_end(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Endless("word " * 4_000))
    ask(member_client)
    tracemalloc.start()
    upstream.script(Endless("word " * 4_000))
    length = len(ask(member_client).json["text"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    longest = config.current().max_answer_tokens * room.TOKEN_CHARACTERS + room.SPARE
    assert longest * 0.9 < length < longest * 1.2
    assert peak < 20 * room.LONGEST, "some copies of the answer, provider and client among them, and no more"


def test_a_conversation_that_nobody_could_read_is_told_and_left_as_it_was(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    messages = prompts.MAX_BYTES // len(LONG) + 1
    conversation = long_conversation(member, messages)
    refused = ask(member_client, conversation_id=conversation)
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "conversation_too_long")
    assert "new one" in refused.json["error"]["message"]
    assert len(upstream.journal.chats) == 0
    assert [count(kind) for kind in (Message, Run, Attempt, TokenUsage)] == [messages, 0, 0, 0]
    assert ask(member_client, conversation_id=conversation, parent_id=None).json["status"] == "complete"


def test_going_on_with_an_answer_that_nobody_could_read_leaves_it_as_it_was(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.script(Answer("cut", finish_reason="length"))
    run_id = ask(member_client, message=LONG).json["run_id"]
    monkeypatch.setattr(prompts, "MAX_BYTES", len(LONG))
    refused = member_client.post(f"/api/runs/{run_id}/continue", json={}, headers={"Accept": "application/json"})
    assert (refused.status_code, error_code(refused)) == (422, "conversation_too_long")
    assert len(upstream.journal.chats) == 1
    with reading() as session:
        assert set(session.scalars(select(Message.status))) == {"complete"}


TOO_LONG = [
    (400, "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens.", "x"),
    (400, "the request exceeds the available context size (4096 tokens), try increasing it", "x"),
    (400, "prompt is too long: 210000 tokens > 200000 maximum", "x"),
    (400, "no words that we know", "context_length_exceeded"),
    (422, "Range of input length should be [1, 30720]", "x"),
    (413, "Request Entity Too Large", "x"),
]


@pytest.mark.parametrize(("status", "words", "code"), TOO_LONG)
def test_a_model_that_cannot_read_so_much_is_told_as_such_and_costs_nothing(
    member_client: PageClient, upstream: ScriptedUpstream, status: int, words: str, code: str
) -> None:
    upstream.script(Status(status, words, code=code))
    failed = ask(member_client).json
    assert (failed["error"]["code"], failed["error"].get("retryable")) == ("message_too_long_for_model", None)
    assert "Shorten it" in failed["error"]["message"]
    assert (count(TokenUsage), len(upstream.journal.chats)) == (0, 1)
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["released"]
        assert session.scalars(select(ApiKey.last_error_code)).all() == [None], "no key is to blame"


def test_only_what_has_something_before_it_is_told_to_begin_anew(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    status, words, code = TOO_LONG[0]
    conversation = ask(member_client).json["conversation_id"]
    upstream.script(Status(status, words, code=code))
    later = ask(member_client, conversation_id=conversation).json["error"]
    assert (later["code"], "new one" in later["message"]) == ("conversation_too_long", True)
    upstream.script(Status(status, words, code=code))
    another_beginning = ask(member_client, conversation_id=conversation, parent_id=None).json["error"]
    assert another_beginning["code"] == "message_too_long_for_model"


def test_a_long_answer_that_is_gone_on_with_makes_the_conversation_too_long(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("cut", finish_reason="length"))
    run_id = ask(member_client).json["run_id"]
    status, words, code = TOO_LONG[0]
    upstream.script(Status(status, words, code=code))
    refused = member_client.post(f"/api/runs/{run_id}/continue", json={}, headers={"Accept": "application/json"})
    assert error_code(refused) == "conversation_too_long"


@pytest.mark.parametrize("words", ["messages[0]: missing content", "max_tokens must be positive", "Model Not Exist"])
def test_other_refusals_stay_what_they_are(member_client: PageClient, upstream: ScriptedUpstream, words: str) -> None:
    upstream.script(Status(400, words))
    assert ask(member_client).json["error"]["code"] == "upstream_rejected"
