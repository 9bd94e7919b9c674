"""Anthropic's events of an answer: blocks one after the other, and what no block can tell."""

import json
from typing import Any

import pytest

from flask_app.domain.events import Reasoning, Token, ToolCall, Usage, Words
from flask_app.services.completion.attempts import Entry, Outcome
from flask_app.services.gateway import completion_objects, message_objects
from flask_app.services.gateway.message_objects import MessageEvents, UnreadableCall

COUNTED = Entry(Usage(9, 4, 5, 1), "reported")


def told(*events: Words, reason: str = "tool_calls") -> list[dict[str, Any]]:
    written = MessageEvents("r", "m", 3)
    blocks = b"".join(map(written.words, events)) + written.finish(reason, COUNTED)
    return [json.loads(block.split(b"\ndata: ")[1]) for block in blocks.split(b"\n\n")[:-1]]


def blocks(events: list[dict[str, Any]]) -> list[tuple[Any, str]]:
    """Each block as it begins, and what is added to it, in order."""
    found: list[tuple[Any, str]] = []
    for event in events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(found)
            found.append((event["content_block"], ""))
        elif event["type"] == "content_block_delta":
            delta = dict(event["delta"])
            assert event["index"] == len(found) - 1
            block, words = found[-1]
            if delta.pop("type") != "signature_delta":
                found[-1] = block, words + next(iter(delta.values()))
    return found


def whole(*calls: ToolCall, reason: str = "tool_calls") -> list[dict[str, Any]]:
    outcome = Outcome(finish_reason=reason)
    message = message_objects.whole("r", "m", outcome, COUNTED, completion_objects.calls_of(calls))
    return message.content


def test_calls_are_blocks_with_an_input() -> None:
    pieces = (
        *(ToolCall(0, "call_1", "weather"), ToolCall(0, arguments='{"city":'), ToolCall(0, arguments='"Rome"}')),
        *(ToolCall(1, None, "time", ""),),
    )
    events = told(Reasoning("hm"), Token("I look."), *pieces)
    assert blocks(events)[2:] == [
        ({"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}, '{"city":"Rome"}'),
        ({"type": "tool_use", "id": "toolu_r_1", "name": "time", "input": {}}, ""),
    ]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert whole(*pieces) == [
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "toolu_r_1", "name": "time", "input": {}},
    ]


def test_kinds_take_turns() -> None:
    events = told(Token("a"), Reasoning("b"), Token("c"), Token("d"), reason="stop")
    assert [(block["type"], words) for block, words in blocks(events)] == [
        *(("text", "a"), ("thinking", "b"), ("text", "cd"))
    ]


@pytest.mark.parametrize("arguments", ["{", "[]", "3", "no", '{"a": }', "[" * 5000])
def test_an_input_that_is_no_object_is_no_call(arguments: str) -> None:
    call = ToolCall(0, "call_1", "weather", arguments)
    with pytest.raises(UnreadableCall):
        told(call)
    with pytest.raises(UnreadableCall):
        whole(call)


def test_what_was_cut_off_says_so() -> None:
    cut = ToolCall(0, "call_1", "weather", '{"city":')
    assert told(cut, reason="length")[-2]["delta"]["stop_reason"] == "max_tokens"
    assert whole(cut, reason="length") == []


def test_a_call_that_was_over_is_not_gone_on_with() -> None:
    with pytest.raises(UnreadableCall):
        told(ToolCall(0, "a", "weather", "{"), ToolCall(1, "b", "weather", "{}"), ToolCall(0, arguments="}"))


def test_a_call_of_nothing_is_none() -> None:
    with pytest.raises(UnreadableCall):
        told(ToolCall(0, "a", None, "{}"))
    with pytest.raises(UnreadableCall):
        whole(ToolCall(0, "a", None, "{}"))
