"""OpenAI's own client and the Responses API against the real server: what its programs see, and what is booked."""

import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.responses import ResponseFunctionToolCall
from pydantic import BaseModel

from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Status, Usage
from tests.support.served import Served

MODEL = "deepseek-flash"
ENDLESS = Answer("word " * 20_000, tokens_per_second=50)
TOOL: Any = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
PIECES: tuple[dict[str, Any], ...] = (
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}},
    {"index": 0, "function": {"arguments": '{"city":'}},
    {"index": 0, "function": {"arguments": '"Rome"}'}},
)
CALLS = tuple({"tool_calls": [piece]} for piece in PIECES)


class Verdict(BaseModel):
    good: bool


@pytest.fixture
def client(server: Served, upstream: ScriptedUpstream) -> Iterator[OpenAI]:
    upstream.forget_scripts()
    upstream.journal.clear()
    secret = server.post("/api/tokens", {"name": "the sdk"}).json()["secret"]
    with OpenAI(base_url=f"{server.base_url}/v1", api_key=secret, max_retries=0) as made:
        yield made


def records(server: Served) -> list[dict[str, Any]]:
    return list(server.get("/api/usage/records").json()["records"])


def test_a_response(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hello, Ada.", usage=Usage(prompt=12, cached=4, completion=5)))
    made = client.responses.create(model=MODEL, input="Hello.", instructions="Be brief.")
    assert (made.output_text, made.status, made.error) == ("Hello, Ada.", "completed", None)
    assert made.usage
    assert (made.usage.input_tokens, made.usage.output_tokens, made.usage.total_tokens) == (12, 5, 17)
    assert made.usage.input_tokens_details.cached_tokens == 4
    assert made._request_id
    record = records(server)[0]
    assert (record["channel"], record["token_name"], record["total_tokens"]) == ("api", "the sdk", 17)


def test_a_stream_of_thoughts_and_words(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two", thinking="hm hm", usage=Usage(prompt=9, cached=3, completion=6, reasoning=2)))
    words, thoughts = "", ""
    for event in client.responses.create(model=MODEL, input="Hello.", stream=True):
        if event.type == "response.output_text.delta":
            words += event.delta
        elif event.type == "response.reasoning_text.delta":
            thoughts += event.delta
    assert (words, thoughts) == ("one two", "hm hm")
    assert event.type == "response.completed"
    assert event.response.output_text == "one two"
    assert event.response.usage
    assert event.response.usage.output_tokens_details.reasoning_tokens == 2
    assert records(server)[0]["total_tokens"] == 15


@pytest.mark.parametrize("streams", [False, True])
def test_a_loop_with_a_tool(client: OpenAI, upstream: ScriptedUpstream, streams: bool) -> None:
    upstream.script(Answer("I look.", thinking="Where?", deltas=CALLS, finish_reason="tool_calls"))
    asked: list[Any] = [{"role": "user", "content": "Is it sunny in Rome?"}]
    if streams:
        with client.responses.stream(model=MODEL, input=asked, tools=[TOOL]) as stream:
            output: list[Any] = list(stream.get_final_response().output)
    else:
        output = list(client.responses.create(model=MODEL, input=asked, tools=[TOOL]).output)
    assert [item.type for item in output] == ["reasoning", "message", "function_call"]
    call = output[-1]
    assert isinstance(call, ResponseFunctionToolCall)
    assert (call.call_id, call.name, call.arguments) == ("call_1", "weather", '{"city":"Rome"}')
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    upstream.script(Answer("It is."))
    told = client.responses.create(model=MODEL, input=[*asked, *output, result], tools=[TOOL])
    assert told.output_text == "It is."
    _, said, heard = upstream.journal.last.body["messages"]
    assert (said["content"], said["reasoning_content"]) == ("I look.", "Where?")
    assert said["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert heard == {"role": "tool", "content": "sunny", "tool_call_id": "call_1"}


def test_what_comes_in_a_form(client: OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer('{"good": true}'))
    made = client.responses.parse(model=MODEL, input="Is it?", text_format=Verdict)
    assert made.output_parsed == Verdict(good=True)
    assert upstream.journal.last.body["response_format"]["json_schema"]["name"] == "Verdict"


def test_a_length_limit(client: OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two", finish_reason="length"))
    made = client.responses.create(model=MODEL, input="Hello.", max_output_tokens=16)
    assert made.status == "incomplete"
    assert made.incomplete_details
    assert made.incomplete_details.reason == "max_output_tokens"


def test_errors_are_the_clients_own(client: OpenAI, upstream: ScriptedUpstream) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.create(model="gpt-0", input="Hello.")
    assert unknown.value.code == "model_not_found"
    assert unknown.value.request_id
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model=MODEL, input="Hello.", previous_response_id="resp_1")
    assert (refused.value.param, refused.value.code) == ("previous_response_id", "nothing_kept")
    assert isinstance(refused.value.body, dict)
    assert re.search("`previous_response_id`.*`input`。$", refused.value.body["message"])
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-" + "0" * 48).responses.create(model=MODEL, input="Hello.")
    upstream.script(Status(400))
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL, input="Hello.", stream=True)


def test_what_breaks_off_is_told_by_event_and_raised(client: OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script(ErrorEvent(after="It began"))
    with pytest.raises(openai.APIError) as broken:
        list(client.responses.create(model=MODEL, input="Hello.", stream=True))
    assert broken.value.code == "upstream_failed"
    assert isinstance(broken.value.body, dict)
    assert broken.value.body["request_id"]
    upstream.script(ErrorEvent(after="It began"))
    with client.responses.create(model=MODEL, input="Hello.", stream=True) as stream:
        last = next(event for event in stream if event.type == "response.failed")
    assert last.response.status == "failed"
    assert last.response.error
    assert last.response.output_text == "It began"


def test_a_limit_that_is_used_up_is_not_asked_again(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    token = server.get("/api/tokens").json()["tokens"][0]["id"]
    limited = server.ask("PUT", f"/api/tokens/{token}/budget", {"period": "day", "limit": 1})
    assert limited.status == 200, limited.data
    with pytest.raises(openai.RateLimitError) as refused:
        client.with_options(max_retries=2).responses.create(model=MODEL, input="Hello.")
    assert refused.value.code == "insufficient_quota"
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert upstream.journal.chats == []


def test_a_program_that_leaves_stops_the_provider_and_is_booked_once(
    client: OpenAI, server: Served, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    before = len(records(server))
    with client.responses.create(model=MODEL, input="Hello.", stream=True) as answer:
        next(event for event in answer if event.type == "response.output_text.delta")
    upstream.journal.wait_for(1)
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    wait_until(lambda: len(records(server)) == before + 1 and records(server)[0]["outcome"] == "left")
