"""The scripted provider itself: a twin that lies would make every other test lie."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from urllib3.response import BaseHTTPResponse

from flask_app.domain.sse import Decoder
from tests.support.scripted_upstream import (
    HOSTILE_MARKDOWN,
    Answer,
    Drip,
    ErrorEvent,
    GzipBomb,
    HugeLine,
    Raw,
    Redirect,
    Script,
    ScriptedUpstream,
    Stall,
    Status,
    Usage,
    Whole,
    pieces,
)

SPENT = Usage(prompt=1000, cached=640, completion=50, reasoning=20)


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as upstream:
        yield upstream


@pytest.fixture
def client() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as client:
        yield client
        client.clear()


class Caller:
    """Asks the provider as our client would."""

    def __init__(self, upstream: ScriptedUpstream, client: urllib3.PoolManager) -> None:
        self.upstream = upstream
        self.client = client

    def open(self, *, key: str = "sk-a", path: str = "/chat/completions", **body: object) -> BaseHTTPResponse:
        asked = {
            "model": "deepseek-flash",
            "messages": [{"role": "user", "content": "say hello"}],
            "stream": True,
            "stream_options": {"include_usage": True},
        } | body
        return self.client.request(
            "POST",
            self.upstream.base_url + path,
            json=asked,
            headers={"Authorization": f"Bearer {key}"},
            preload_content=False,
            decode_content=False,
            redirect=False,
            timeout=10,
        )

    def ask(self, *, key: str = "sk-a", path: str = "/chat/completions", **body: object) -> list[Any]:
        """The events of a whole stream, decoded; `[DONE]` as a string."""
        decoder = Decoder()
        response = self.open(key=key, path=path, **body)
        payloads = [payload for part in response.stream(4096) for payload in decoder.feed(part)]
        payloads += decoder.close()
        return ["[DONE]" if p == b"[DONE]" else json.loads(p) for p in payloads]

    def get(self, path: str, key: str = "sk-a") -> BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {key}"}
        return self.client.request("GET", self.upstream.base_url + path, headers=headers)


@pytest.fixture
def caller(upstream: ScriptedUpstream, client: urllib3.PoolManager) -> Caller:
    return Caller(upstream, client)


def text_of(events: list[Any], field: str = "content") -> str:
    deltas = [e["choices"][0]["delta"] for e in events if isinstance(e, dict) and e.get("choices")]
    return "".join(delta.get(field) or "" for delta in deltas)


def told_usages(events: list[Any]) -> list[dict[str, Any]]:
    return [e["usage"] for e in events if isinstance(e, dict) and e.get("usage")]


def test_an_answer_streams_thinking_text_usage_and_done(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("你好 world", thinking="think hard", usage=SPENT))

    events = caller.ask()

    assert text_of(events) == "你好 world"
    assert text_of(events, "reasoning_content") == "think hard"
    assert events[-1] == "[DONE]"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"] == {
        "prompt_tokens": 1000,
        "prompt_cache_hit_tokens": 640,
        "prompt_cache_miss_tokens": 360,
        "completion_tokens": 50,
        "completion_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 1050,
    }
    assert [e["choices"][0]["finish_reason"] for e in events[:-2]][-2:] == [None, "stop"]


def test_the_journal_holds_what_was_asked_and_sent(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("hello", usage=SPENT))
    caller.ask(key="sk-b", user_id="u1", path="/v1/chat/completions")
    upstream.journal.wait_until_idle()

    (entry,) = upstream.journal.chats
    assert (entry.key, entry.model, entry.body["user_id"]) == ("sk-b", "deepseek-flash", "u1")
    assert (entry.text_sent, entry.usage_sent, entry.billed) == ("hello", SPENT, SPENT)
    assert (entry.status, entry.outcome, entry.closed_early) == (200, "complete", False)
    assert entry.first_token_at is not None
    assert entry.finished_at is not None
    assert entry.received_at <= entry.first_token_at <= entry.finished_at


def test_usage_is_told_only_when_asked_for(upstream: ScriptedUpstream, caller: Caller) -> None:
    events = caller.ask(stream_options=None)
    upstream.journal.wait_until_idle()

    assert told_usages(events) == []
    assert upstream.journal.last.usage_sent is None
    assert upstream.journal.last.billed is not None


def test_usage_in_openai_shape_and_in_every_chunk(upstream: ScriptedUpstream, caller: Caller) -> None:
    spent = Usage(prompt=9, cached=4, completion=3)
    upstream.script(Answer("a b c", usage=spent, usage_shape="openai", cumulative_usage=True))

    usages = told_usages(caller.ask())

    assert [usage["completion_tokens"] for usage in usages] == [1, 2, 3, 3]
    assert usages[-1]["prompt_tokens_details"] == {"cached_tokens": 4}
    assert "prompt_cache_hit_tokens" not in usages[-1]


def test_a_provider_may_say_neither_usage_nor_done(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("hello", tells_usage=False, says_done=False, finish_reason="length"))

    events = caller.ask()

    assert told_usages(events) == []
    assert events[-1]["choices"][0]["finish_reason"] == "length"


def test_whole_answer_without_a_stream(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("hello", thinking="hm", usage=SPENT))

    answer = json.loads(caller.open(stream=False).read())

    assert answer["choices"][0]["message"]["content"] == "hello"
    assert answer["choices"][0]["message"]["reasoning_content"] == "hm"
    assert answer["usage"]["total_tokens"] == 1050


def test_tokens_come_at_the_rate_that_was_set(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("a b c d e", tokens_per_second=50, first_token_after=0.1))
    started = time.monotonic()

    caller.ask()

    assert 0.2 <= time.monotonic() - started < 1.0


def test_keep_alives_come_before_the_first_token(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("hello", keep_alives=3, first_token_after=0.03))

    body = caller.open().read()

    assert body.startswith(b": keep-alive\n\n" * 3 + b"data: {")


def test_models_and_balance(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.models, upstream.balance = ["a", "b"], "0.00"

    assert [model["id"] for model in caller.get("/v1/models").json()["data"]] == ["a", "b"]
    assert caller.get("/user/balance").json()["is_available"] is False


def test_a_wrong_or_missing_key_is_refused(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.keys = {"sk-good"}
    upstream.script(Answer("kept for the good key"))

    assert caller.open(key="sk-bad").status == 401
    assert caller.get("/models", key="").status == 401
    assert text_of(caller.ask(key="sk-good")) == "kept for the good key"


def test_what_a_provider_would_not_take_is_refused(caller: Caller) -> None:
    assert caller.open(model="deepseek-chat").status == 400
    assert caller.open(messages="hello").status == 422
    assert caller.get("/nowhere").status == 404


@pytest.mark.parametrize("status", [400, 401, 402, 422, 429, 500, 503])
def test_error_statuses(upstream: ScriptedUpstream, caller: Caller, status: int) -> None:
    upstream.script(Status(status, "no", retry_after=7))

    response = caller.open()

    assert (response.status, response.headers["Retry-After"]) == (status, "7")
    assert response.json()["error"]["message"] == "no"
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.outcome == "refused"
    assert upstream.journal.last.billed is None


def test_scripts_go_to_their_model_and_key_in_order(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("for b"), Answer("for b again"), key="sk-b")
    upstream.script(Answer("for pro"), model="deepseek-v4-pro")
    upstream.script(Answer("always"), always=True)

    assert text_of(caller.ask()) == "always"
    assert text_of(caller.ask(model="deepseek-v4-pro")) == "for pro"
    assert text_of(caller.ask(key="sk-b")) == "for b"
    assert text_of(caller.ask(key="sk-b")) == "for b again"
    assert text_of(caller.ask(key="sk-b")) == "always"
    upstream.forget_scripts()
    assert text_of(caller.ask()) == Answer().text


def test_cut_at_a_byte(upstream: ScriptedUpstream, caller: Caller) -> None:
    whole = caller.open().read()
    for at in (0, 1, 300, len(whole) - 1):
        upstream.script(Answer(cut_at=at))
        with pytest.raises(urllib3.exceptions.ProtocolError):
            _ = caller.open().read()
        upstream.journal.wait_until_idle()
        assert upstream.journal.last.outcome == "cut"


def test_a_client_that_goes_is_noticed_while_tokens_flow(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("word " * 200, tokens_per_second=200))
    response = caller.open()
    response.read1(64)
    response.close()
    upstream.journal.wait_until_idle()

    assert upstream.journal.last.closed_early
    assert len(pieces(upstream.journal.last.text_sent)) < 200


@pytest.mark.parametrize("before_head", [True, False])
def test_a_client_that_goes_is_noticed_in_a_stall(
    upstream: ScriptedUpstream, caller: Caller, before_head: bool
) -> None:
    upstream.script(Stall(seconds=30, before_head=before_head))
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        ask_impatiently(caller)
    upstream.journal.wait_until_idle()

    assert upstream.journal.last.closed_early


def ask_impatiently(caller: Caller) -> None:
    response = caller.client.request(
        "POST",
        caller.upstream.base_url + "/chat/completions",
        json={"model": "deepseek-flash", "messages": [], "stream": True},
        headers={"Authorization": "Bearer sk"},
        preload_content=False,
        timeout=0.2,
    )
    try:
        response.read()
    finally:
        response.close()


def test_a_stall_may_keep_saying_that_it_is_alive(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Stall("so far", seconds=0.1, comment_every=0.02))
    response = caller.open()

    with pytest.raises(urllib3.exceptions.ProtocolError):
        response.read()
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.text_sent == "so far"


@pytest.mark.parametrize("name", ["", "error"])
def test_an_error_event_after_200(upstream: ScriptedUpstream, caller: Caller, name: str) -> None:
    upstream.script(ErrorEvent("so far", name=name))

    *tokens, failure = caller.ask()

    assert text_of(tokens) == "so far"
    assert failure["error"]["message"] == "scripted overload"


def test_drip_is_a_correct_answer(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Drip("slow", seconds_per_byte=0))

    assert text_of(caller.ask()) == "slow"


def test_hostile_bodies_come_as_scripted(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Whole(), Raw(), HugeLine(1 << 20), GzipBomb(4 << 20))
    upstream.script(Answer(HOSTILE_MARKDOWN, unknown_events=True))

    assert caller.open().read().startswith(b"<!doctype html>")
    assert b"data: {not json\n\n" in caller.open().read()
    assert len(caller.open().read()) > 1 << 20
    bomb = caller.open()
    assert bomb.headers["Content-Encoding"] == "gzip"
    assert len(bomb.read()) < 20_000
    body = caller.open().read()
    assert b"event: execute\n" in body
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.text_sent == HOSTILE_MARKDOWN


def test_a_redirect_carries_the_client_elsewhere(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Redirect("https://evil.invalid/steal"))

    response = caller.open()

    assert (response.status, response.headers["Location"]) == (307, "https://evil.invalid/steal")


@pytest.mark.parametrize("script", [Stall("so far"), Answer("word " * 999, tokens_per_second=9)])
def test_stopping_breaks_what_is_open(client: urllib3.PoolManager, script: Script) -> None:
    upstream = ScriptedUpstream().start()
    upstream.script(script)
    response = Caller(upstream, client).open()
    started = time.monotonic()
    upstream.stop()

    with pytest.raises(urllib3.exceptions.ProtocolError):
        response.read()
    assert time.monotonic() - started < 1
    assert upstream.journal.last.outcome == "stopped"


@pytest.mark.parametrize("text", ["", "a", "你好，世界！ok  go\n\n```py\nx\n``` ", HOSTILE_MARKDOWN])
def test_pieces_lose_nothing(text: str) -> None:
    assert "".join(pieces(text)) == text
