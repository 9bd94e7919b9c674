"""How a provider ends an answer that is not whole, and counts that say nothing of all of it."""

import dataclasses
import json
from typing import Any

import pytest
from sqlalchemy import select

from flask_app import config
from flask_app.database import reading
from flask_app.domain.events import estimate_tokens
from flask_app.models import Message, TokenUsage
from flask_app.services.providers import model_service
from tests.support.clients import PageClient
from tests.support.keys import keep_key, stored_key
from tests.support.scripted_upstream import Answer, Raw, Received, ScriptedUpstream, Usage
from tests.support.upstream_reply import Reply

JSON = {"Accept": "application/json", "Accept-Language": "en"}
NO_ROOM = "insufficient_system_resource"
EARLY = {"prompt_tokens": 30, "completion_tokens": 0}
WORDS = "word " * 100


def ask(client: PageClient) -> Any:
    return client.post("/api/chat", json={"message": "hello", "model": "deepseek-flash"}, headers=JSON).json


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


def chunk(text: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]} | fields).encode() + b"\n\n"


@pytest.mark.parametrize("parts", [(chunk("", usage=EARLY), chunk(WORDS)), (chunk("", usage=EARLY) + chunk(WORDS),)])
def test_a_count_from_before_the_words_is_no_count_of_them(
    member_client: PageClient, upstream: ScriptedUpstream, parts: tuple[bytes, ...]
) -> None:
    upstream.script(Raw(parts))
    assert ask(member_client)["status"] == "interrupted"
    (entry,) = entries()
    assert entry.source == "estimated"
    assert entry.completion_tokens >= 100


def test_an_answer_for_which_the_provider_has_no_more_room_broke_off_and_goes_on(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("one two", finish_reason=NO_ROOM, usage=Usage(prompt=9, completion=2)), Answer(" three"))
    half = ask(member_client)
    assert (half["status"], half["text"], half["error"]["code"]) == ("interrupted", "one two", "upstream_overloaded")
    (entry,) = entries()
    assert (entry.source, entry.completion_tokens, entry.outcome) == ("reported", 2, "interrupted")
    whole: Any = member_client.post(f"/api/runs/{half['run_id']}/continue", json={}, headers=JSON).json
    assert (whole["status"], whole["text"]) == ("complete", "one two three")


def test_one_for_which_there_is_no_room_from_the_start_comes_from_another_key(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    model_service.available()  # the environment's key is stored at first use
    keep_key(stored_key("environment").provider_id, "second")
    upstream.journal.clear()
    upstream.script(Answer("", finish_reason=NO_ROOM, tells_usage=False), Answer("here"))
    answer = ask(member_client)
    assert (answer["status"], answer["text"]) == ("complete", "here")
    assert len({request.key for request in upstream.journal.chats}) == 2
    assert [entry.source for entry in entries()] == ["reported"]
    with reading() as session:
        assert session.get_one(Message, answer["id"]).finish_reason == "stop"


@pytest.mark.parametrize("prompt", [0, 700])
def test_words_that_the_provider_counts_as_no_tokens_are_estimated(
    member_client: PageClient, upstream: ScriptedUpstream, prompt: int
) -> None:
    upstream.script(Answer("one two three", usage=Usage(prompt=prompt, cached=prompt // 2, completion=0)))
    assert ask(member_client)["text"] == "one two three"
    (entry,) = entries()
    assert (entry.source, entry.completion_tokens) == ("estimated", estimate_tokens("one two three"))
    assert entry.prompt_tokens == prompt or (not prompt and entry.prompt_tokens > 0)
    assert entry.cached_tokens == prompt // 2


ENDED = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
COUNTED = b'data: {"choices":[],"usage":{"prompt_tokens":30,"completion_tokens":100}}\n\n'


class LeftOpen:
    """Says its parts, and then neither anything nor that it is over."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream()
        for part in self._parts:
            reply.send(part)
        reply.pause(20)


@pytest.mark.parametrize("way", ["cut", "reset", "left open"])
@pytest.mark.parametrize("counted", [True, False])
def test_an_answer_that_has_ended_is_whole_however_its_line_ends(
    member_client: PageClient, upstream: ScriptedUpstream, way: str, counted: bool
) -> None:
    """Until then its count is waited for."""
    config.install(dataclasses.replace(config.current(), upstream_idle_seconds=1))
    parts = (chunk("Hello"), ENDED, *([COUNTED] if counted else []))
    upstream.script(LeftOpen(*parts) if way == "left open" else Raw((*parts, b"data: {"), resets=way == "reset"))
    answer = ask(member_client)
    assert (answer["status"], answer["text"]) == ("complete", "Hello")
    (entry,) = entries()
    assert entry.outcome == "complete"
    assert (entry.source, entry.completion_tokens) == (("reported", 100) if counted else ("estimated", 2))
    assert stored_key("environment").last_error_code is None


@pytest.mark.parametrize("last", [(), (chunk("", usage=EARLY),), (ENDED.replace(b"stop", NO_ROOM.encode()),)])
def test_one_that_has_not_ended_broke_off(
    member_client: PageClient, upstream: ScriptedUpstream, last: tuple[bytes, ...]
) -> None:
    upstream.script(Raw((chunk("Hello"), *last), resets=True))
    answer = ask(member_client)
    assert (answer["status"], answer["error"]["code"]) == ("interrupted", "upstream_cut")


def test_what_cannot_be_read_after_it_is_a_failure(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Raw((chunk("Hello"), ENDED, b"data: {\n\n")))
    assert ask(member_client)["error"]["code"] == "upstream_garbage"
