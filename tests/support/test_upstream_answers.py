"""The scripted provider answers as providers do: a twin that lies would make every other test lie."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.brokers import wait_until
from tests.support.scripted_upstream import HOSTILE_MARKDOWN, Answer, Gate, ScriptedUpstream, Usage, pieces
from tests.support.upstream_caller import Caller, text_of, told_usages

SPENT = Usage(prompt=1000, cached=640, completion=50, reasoning=20)


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

    assert 0.2 <= time.monotonic() - started < 10


def test_keep_alives_come_before_the_first_token(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("hello", keep_alives=3, first_token_after=0.03))

    body = caller.open().read()

    assert body.startswith(b": keep-alive\n\n" * 3 + b"data: {")


def test_models_and_balance(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.models, upstream.balance = ["a", "b"], "0.00"

    assert [model["id"] for model in caller.get("/v1/models").json()["data"]] == ["a", "b"]
    assert caller.get("/user/balance").json()["is_available"] is False


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


@pytest.mark.parametrize("text", ["", "a", "你好，世界！ok  go\n\n```py\nx\n``` ", HOSTILE_MARKDOWN])
def test_pieces_lose_nothing(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_an_answer_is_held_back_at_each_place_until_it_is_let_go(upstream: ScriptedUpstream, caller: Caller) -> None:
    gate = Gate(1, 3)
    upstream.script(Answer("one two three four", gate=gate))
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(caller.ask)
        for sent in ("one", "one two three"):
            wait_until(lambda sent=sent: upstream.journal.chats and upstream.journal.last.text_sent == sent)  # type: ignore[misc]
            assert not asked.done()
            gate.let_go()
        assert text_of(asked.result()) == "one two three four"


def test_what_is_held_back_comes_to_its_end_when_scripts_are_forgotten(
    upstream: ScriptedUpstream, caller: Caller
) -> None:
    upstream.script(Answer("one two three four", gate=Gate(1)))
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(caller.ask)
        wait_until(lambda: upstream.journal.chats)
        upstream.forget_scripts()
        assert text_of(asked.result()) == "one two three four"
