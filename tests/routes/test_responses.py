"""Programs that speak OpenAI's Responses API: answers in its shape, whole and as events, on the person's own bill."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import TokenUsage, User
from tests.support.clients import PageClient
from tests.support.gateway import Program, made, message_events
from tests.support.requests import only
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Status, Usage

COUNTED = Usage(prompt=9, cached=4, completion=5, reasoning=1)
THOUGHT = Answer("Hi there", thinking="hm", actual_model="flash-2", usage=COUNTED)
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 14,
    "source": "reported",
}


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


def booked() -> TokenUsage:
    """The ledger's only entry."""
    with reading() as session:
        return session.scalars(select(TokenUsage)).one()


def fault(response: Any) -> dict[str, Any]:
    told: dict[str, Any] = response.get_json()
    assert set(told) == {"error"}
    assert set(told["error"]) == {"message", "type", "code", "param"}
    return dict(told["error"])


def test_a_whole_response_has_openais_shape_and_the_ledgers_count(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(THOUGHT)
    response = program.respond(instructions="Be brief.", metadata={"a": "b"}, temperature=0.5, max_output_tokens=99)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.get_json()
    assert told["id"].startswith("resp_")
    assert (told["object"], told["status"], told["model"]) == ("response", "completed", "flash-2")
    assert (told["error"], told["incomplete_details"]) == (None, None)
    thought, said = told["output"]
    assert (thought["type"], thought["content"]) == ("reasoning", [{"type": "reasoning_text", "text": "hm"}])
    assert thought["summary"] == []
    assert (said["type"], said["role"], said["status"]) == ("message", "assistant", "completed")
    assert said["content"] == [{"type": "output_text", "text": "Hi there", "annotations": [], "logprobs": []}]
    assert told["usage"] == USAGE
    assert (told["instructions"], told["metadata"], told["temperature"]) == ("Be brief.", {"a": "b"}, 0.5)
    assert (told["max_output_tokens"], told["store"], told["tools"]) == (99, False, [])
    assert (told["tool_choice"], told["text"]) == ("auto", {"format": {"type": "text"}})
    entry = booked()
    assert (entry.channel, entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens) == ("api", 9, 4, 5)
    assert (only().call, only().model, only().actual_model) == ("responses", "deepseek-flash", "flash-2")


def test_a_stream_is_events_in_openais_order(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(THOUGHT)
    response = program.respond(stream=True)
    assert response.mimetype == "text/event-stream"
    events = message_events(response)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    words = sum(event["type"] == "response.output_text.delta" for event in events)
    assert [event["type"].removeprefix("response.") for event in events] == [
        *("created", "in_progress"),
        *("output_item.added", "content_part.added", "reasoning_text.delta"),
        *("reasoning_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", *["output_text.delta"] * words),
        *("output_text.done", "content_part.done", "output_item.done"),
        "completed",
    ]
    begun, made = events[0]["response"], events[-1]["response"]
    assert (begun["status"], begun["output"], begun["usage"]) == ("in_progress", [], None)
    assert begun["id"] == made["id"]
    assert (made["status"], made["usage"], made["model"]) == ("completed", USAGE, "flash-2")
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == made["output"]
    assert "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta") == "Hi there"
    assert {(event["item_id"], event["output_index"]) for event in events[3:7]} == {(made["output"][0]["id"], 0)}
    assert booked().completion_tokens == 5


@pytest.mark.parametrize(("said", "why"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_what_is_not_whole_says_why(program: Program, upstream: ScriptedUpstream, said: str, why: str) -> None:
    upstream.script(*[Answer("Hi", thinking="hm", finish_reason=said)] * 2)
    last = message_events(program.respond(stream=True))[-1]
    assert last["type"] == "response.incomplete"
    for told in (program.respond().get_json(), last["response"]):
        assert (told["status"], told["incomplete_details"]) == ("incomplete", {"reason": why})
        assert [item["status"] for item in told["output"]] == ["completed", "incomplete"]


def test_an_answer_without_a_word_is_one_without_output(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Answer("")] * 2)
    assert program.respond().get_json()["output"] == []
    names = [event["type"] for event in message_events(program.respond(stream=True))]
    assert names == ["response.created", "response.in_progress", "response.completed"]


def call(*names: str, arguments: str = '{"city":"Rome"}') -> Answer:
    """An answer that calls functions by these names, as the provider has them."""
    called = [
        {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for index, name in enumerate(names)
    ]
    return Answer("", deltas=({"tool_calls": called},), finish_reason="tool_calls")


def test_functions_are_called_in_their_namespaces(program: Program, upstream: ScriptedUpstream) -> None:
    function = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}
    space = {"type": "namespace", "name": "mcp__sky", "description": "Up.", "tools": [function | {"name": "sun"}]}
    upstream.script(*[call("weather", "mcp__sky__sun")] * 2)
    asked: Any = {
        "tools": [function, space, {"type": "web_search", "external_web_access": False}],
        "tool_choice": "auto",
    }
    told = program.respond(**asked).get_json()
    assert [tool["function"]["name"] for tool in upstream.journal.last.body["tools"]] == ["weather", "mcp__sky__sun"]
    assert [tool["name"] for tool in told["tools"]] == ["weather", "mcp__sky"], "what is left out is not told"
    last = message_events(program.respond(stream=True, **asked))
    for output in (told["output"], last[-1]["response"]["output"]):
        weather, sun = output
        assert weather["id"] != sun["id"]
        assert (weather["type"], weather["call_id"], weather["name"]) == ("function_call", "call_0", "weather")
        assert (weather["arguments"], weather["status"]) == ('{"city":"Rome"}', "completed")
        assert "namespace" not in weather
        assert (sun["call_id"], sun["name"], sun["namespace"]) == ("call_1", "sun", "mcp__sky")
    done = [event for event in last if event["type"] == "response.function_call_arguments.done"]
    assert [event["arguments"] for event in done] == ['{"city":"Rome"}'] * 2


def test_a_call_of_nothing_is_none(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(*[call("")] * 2)
    response = program.respond()
    assert (response.status_code, fault(response)["code"]) == (502, "upstream_garbage")
    assert booked().outcome == "complete", "it was made, and is booked"
    *_, broken, last = message_events(program.respond(stream=True))
    assert (broken["type"], last["type"]) == ("response.failed", "error")


def test_an_estimate_says_that_it_is_one(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hi there", tells_usage=False))
    told = program.respond().get_json()["usage"]
    assert told["source"] == booked().source == "estimated"
    assert (told["input_tokens"], told["output_tokens"]) == (booked().prompt_tokens, booked().completion_tokens)


def test_a_session_does_not_open_it(member_client: PageClient) -> None:
    response = member_client.post("/v1/responses", json={})
    assert (response.status_code, fault(response)["code"]) == (401, "invalid_api_key")


def test_a_model_that_is_not_there_or_not_this_tokens(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    program = Program(app, made(member, models=["deepseek-v4-pro"]).secret)
    response = program.respond(model="gpt-nothing")
    assert (response.status_code, fault(response)["code"]) == (404, "model_not_found")
    response = program.respond()
    assert (response.status_code, fault(response)["code"]) == (403, "model_not_allowed")
    assert upstream.journal.chats == []


def test_no_response_can_be_fetched(program: Program) -> None:
    made = program.respond().get_json()["id"]
    response = program.get(f"/v1/responses/{made}")
    assert (response.status_code, fault(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        (Status(400), 400, "upstream_rejected"),
        (Status(400, "maximum context length is 10 tokens"), 400, "context_length_exceeded"),
        (Status(429), 503, "upstream_busy"),
        (Status(500), 502, "upstream_failed"),
        (ErrorEvent(), 502, "upstream_failed"),
    ],
)
def test_what_fails_before_the_first_word_has_a_status(
    program: Program, upstream: ScriptedUpstream, script: Any, status: int, code: str, stream: bool
) -> None:
    upstream.script(script, always=True)
    response = program.respond(stream=stream)
    assert (response.status_code, fault(response)["code"]) == (status, code)


def test_what_breaks_off_ends_as_failed(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after="It began"))
    response = program.respond(stream=True)
    assert response.status_code == 200
    events = message_events(response)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    broken, last = events[-2:]
    assert (broken["type"], broken["response"]["status"]) == ("response.failed", "failed")
    assert broken["response"]["error"]["code"] == last["code"] == last["error"]["code"] == "upstream_failed"
    (item,) = broken["response"]["output"]
    assert (item["status"], item["content"][0]["text"]) == ("incomplete", "It began")
    assert last["message"] == broken["response"]["error"]["message"]
    assert booked().outcome == "interrupted"
