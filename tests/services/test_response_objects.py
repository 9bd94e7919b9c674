"""OpenAI's events of a response: items one after the other, calls that take turns, and what was cut off."""

import json
from typing import Any

import pytest

from flask_app.domain.events import Reasoning, Token, ToolCall, Usage, Words
from flask_app.services.completion.attempts import Entry
from flask_app.services.gateway.gateway_errors import Fault
from flask_app.services.gateway.response_objects import NamelessCall, ResponseEvents, Terms
from flask_app.web.responses import ResponseRequest

COUNTED = Entry(Usage(9, 4, 5, 1), "reported")


def written(terms: Terms | None = None) -> ResponseEvents:
    return ResponseEvents("r", "m", terms or ResponseRequest(model="m", input="x").terms())


def events_in(told: bytes) -> list[dict[str, Any]]:
    return [json.loads(block.split(b"\ndata: ")[1]) for block in told.split(b"\n\n")[:-1]]


def told(*events: Words, reason: str = "tool_calls") -> list[dict[str, Any]]:
    writer = written()
    made, last = [b"".join(map(writer.words, events))], writer.finish(reason, COUNTED)[1]
    return events_in(b"".join(made) + last)


def output(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Of each item in the output its kind, its words and its status; the events have told the same."""
    items: list[dict[str, Any]] = events[-1]["response"]["output"]
    ended = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert sorted(ended, key=items.index) == items
    deltas = dict.fromkeys((item["id"] for item in items), "")
    for event in events:
        if event["type"].endswith(".delta"):
            deltas[event["item_id"]] += event["delta"]
    kinds = {"message": "output_text", "reasoning": "reasoning_text"}
    for item in items:
        whole = item["arguments"] if item["type"] == "function_call" else item["content"][0]["text"]
        assert whole == deltas[item["id"]]
        if item["type"] in kinds:
            assert item["content"][0]["type"] == kinds[item["type"]]
    return [(item["type"], deltas[item["id"]], item["status"]) for item in items]


def test_kinds_take_turns() -> None:
    events = told(Token("a"), Reasoning("b"), Token("c"), Token("d"), reason="stop")
    assert output(events) == [
        *(("message", "a", "completed"), ("reasoning", "b", "completed"), ("message", "cd", "completed")),
    ]


def test_calls_may_take_turns_and_end_with_the_response() -> None:
    pieces = (
        *(Token("I look."), ToolCall(0, "call_a", "weather"), ToolCall(0, arguments='{"city":')),
        *(ToolCall(1, None, "time", ""), ToolCall(0, arguments='"Rome"}'), ToolCall(1, arguments="{}")),
    )
    events = told(*pieces)
    assert output(events) == [
        ("message", "I look.", "completed"),
        ("function_call", '{"city":"Rome"}', "completed"),
        ("function_call", "{}", "completed"),
    ]
    items = events[-1]["response"]["output"]
    assert [item.get("call_id") for item in items] == [None, "call_a", "call_r_1"]
    assert [event["item"]["id"] for event in events if event["type"] == "response.output_item.done"] == [
        item["id"] for item in items
    ]


def test_only_what_came_last_was_cut_off() -> None:
    cut = told(Token("a"), ToolCall(0, "call_a", "weather", '{"city":'), reason="length")
    assert [status for *_, status in output(cut)] == ["completed", "incomplete"]
    cut = told(ToolCall(0, "call_a", "weather", "{}"), Token("a"), reason="length")
    assert [status for *_, status in output(cut)] == ["completed", "incomplete"]
    assert cut[-1]["type"] == "response.incomplete"


def test_a_call_of_nothing_is_none() -> None:
    writer = written()
    writer.words(ToolCall(0, "a", None, "{}"))
    with pytest.raises(NamelessCall):
        writer.finish("tool_calls", COUNTED)


def test_a_response_that_fails_before_a_word_was_created_all_the_same() -> None:
    """The client's helpers want one to be created before anything becomes of it."""
    events = events_in(written().fail(Fault("No.", "server_error", "upstream_failed")))
    assert [event["type"] for event in events] == [
        *("response.created", "response.in_progress", "response.failed", "error"),
    ]
    assert events[2]["response"]["error"] == {"code": "upstream_failed", "message": "No."}
