"""Anthropic's own client against the real server: what its programs see, and what the ledger has of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types import TextBlock, ToolUseBlock

from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Status, Usage
from tests.support.served import Served

MODEL = "deepseek-flash"
HELLO: list[Any] = [{"role": "user", "content": "Hello."}]
ENDLESS = Answer("word " * 20_000, tokens_per_second=50)
TOOL: Any = {"name": "weather", "description": "Tells it.", "input_schema": {"type": "object", "properties": {}}}
PIECES: tuple[dict[str, Any], ...] = (
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}},
    {"index": 0, "function": {"arguments": '{"city":'}},
    {"index": 0, "function": {"arguments": '"Rome"}'}},
)
CALLS = tuple({"tool_calls": [piece]} for piece in PIECES)


@pytest.fixture
def secret(server: Served, upstream: ScriptedUpstream) -> str:
    upstream.forget_scripts()
    upstream.journal.clear()
    return str(server.post("/api/tokens", {"name": "the sdk"}).json()["secret"])


@pytest.fixture
def client(server: Served, secret: str) -> Iterator[Anthropic]:
    with Anthropic(base_url=server.base_url, api_key=secret, max_retries=0) as made:
        yield made


def record(server: Served) -> dict[str, Any]:
    """The newest; empty while there is none."""
    return dict(next(iter(server.get("/api/usage/records").json()["records"]), {}))


def kind_of(error: anthropic.APIError) -> str:
    assert isinstance(error.body, dict)
    return str(error.body["error"]["type"])


def test_a_chat(client: Anthropic, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hello, Ada.", usage=Usage(prompt=12, cached=4, completion=5)))
    made = client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, system="Be brief.")
    (block,) = made.content
    assert (block.type, made.stop_reason, made.role) == ("text", "end_turn", "assistant")
    assert [block.text for block in made.content if isinstance(block, TextBlock)] == ["Hello, Ada."]
    assert (made.usage.input_tokens, made.usage.cache_read_input_tokens, made.usage.output_tokens) == (8, 4, 5)
    assert made._request_id
    booked = record(server)
    assert (booked["channel"], booked["token_name"], booked["total_tokens"]) == ("api", "the sdk", 17)


def test_a_token_as_bearer(server: Served, secret: str) -> None:
    with Anthropic(base_url=server.base_url, auth_token=secret, api_key=None, max_retries=0) as agent:
        assert [model.id for model in agent.models.list()] == ["deepseek-flash", "deepseek-v4-pro"]
        assert agent.models.retrieve(MODEL).type == "model"
        assert agent.messages.create(model=MODEL, max_tokens=9, messages=HELLO).stop_reason == "end_turn"


def test_thinking_comes_and_goes_back(client: Anthropic, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two", thinking="hm hm", usage=Usage(prompt=9, cached=3, completion=6, reasoning=2)))
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    with client.messages.stream(model=MODEL, max_tokens=2000, messages=HELLO, thinking=thinking) as stream:
        events = list(stream)
        message = stream.get_final_message()
    assert "".join(event.text for event in events if event.type == "text") == "one two"
    assert [block.type for block in message.content] == ["thinking", "text"]
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (6, 3, 6)
    assert "source" not in usage.to_dict(), "the client keeps only what the first event says"
    (last,) = [event for event in events if event.type == "message_delta"]
    assert last.usage.to_dict()["source"] == "reported"
    assert record(server)["total_tokens"] == 15
    again: list[Any] = [*HELLO, {"role": "assistant", "content": message.content}, *HELLO]
    client.messages.create(model=MODEL, max_tokens=2000, messages=again, thinking=thinking)
    body = upstream.journal.last.body
    assert body["messages"][1] == {"role": "assistant", "content": "one two", "reasoning_content": "hm hm"}
    assert body["thinking"] == {"type": "enabled"}


def test_a_loop_with_a_tool(client: Anthropic, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Answer("I look.", deltas=CALLS, finish_reason="tool_calls")] * 2)
    whole = client.messages.create(model=MODEL, max_tokens=100, messages=HELLO, tools=[TOOL])
    with client.messages.stream(model=MODEL, max_tokens=100, messages=HELLO, tools=[TOOL]) as stream:
        streamed = stream.get_final_message()
    for message in (whole, streamed):
        assert message.stop_reason == "tool_use"
        call = message.content[-1]
        assert isinstance(call, ToolUseBlock)
        assert (call.id, call.name, call.input) == ("call_1", "weather", {"city": "Rome"})
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": "sunny"}]}
    asked: list[Any] = [
        *HELLO,
        {"role": "assistant", "content": streamed.content},
        {"role": "user", "content": [result]},
    ]
    client.messages.create(model=MODEL, max_tokens=100, messages=asked, tools=[TOOL])
    _, said, told = upstream.journal.last.body["messages"]
    assert said["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert told == {"role": "tool", "content": "sunny", "tool_call_id": "call_1"}


def test_how_far_a_program_may_go_is_in_the_headers(client: Anthropic, server: Served) -> None:
    reply = client.messages.with_raw_response.create(model=MODEL, max_tokens=100, messages=HELLO)
    assert 0 < int(reply.headers["anthropic-ratelimit-requests-remaining"]) < 999
    assert reply.headers["anthropic-ratelimit-requests-limit"] == "999"
    resets_at = datetime.fromisoformat(reply.headers["anthropic-ratelimit-requests-reset"])
    assert timedelta(seconds=50) < resets_at - datetime.now(UTC) <= timedelta(seconds=61)


def test_an_image_is_shown(client: Anthropic, upstream: ScriptedUpstream) -> None:
    source: Any = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    shown: Any = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    client.messages.create(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": shown}])
    (message,) = upstream.journal.last.body["messages"]
    address = {"url": "data:image/png;base64,AAAA"}
    assert message["content"] == [{"type": "image_url", "image_url": address}, {"type": "text", "text": "What is it?"}]


def test_a_prompt_is_counted(client: Anthropic, upstream: ScriptedUpstream) -> None:
    assert client.messages.count_tokens(model=MODEL, messages=HELLO, tools=[TOOL]).input_tokens > 10
    assert upstream.journal.chats == []


def test_errors_are_the_clients_own(client: Anthropic, upstream: ScriptedUpstream) -> None:
    with pytest.raises(anthropic.NotFoundError) as unknown:
        client.messages.create(model="claude-nothing", max_tokens=9, messages=HELLO)
    assert unknown.value.request_id
    assert kind_of(unknown.value) == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match="top_p"):
        client.messages.create(model=MODEL, max_tokens=9, messages=HELLO, extra_body={"top_p": 7})
    with pytest.raises(anthropic.AuthenticationError):
        client.with_options(api_key="sk-" + "0" * 48).messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    upstream.script(Status(400))
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model=MODEL, max_tokens=9, messages=HELLO, stream=True)
    upstream.script(ErrorEvent(after="It began"))
    with pytest.raises(anthropic.APIStatusError) as broken:
        list(client.messages.create(model=MODEL, max_tokens=9, messages=HELLO, stream=True))
    assert kind_of(broken.value) == "api_error"


def test_the_client_asks_again_where_that_helps(client: Anthropic, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(429, retry_after=1), always=True)
    with pytest.raises(anthropic.APIStatusError) as busy:
        client.messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    assert (busy.value.status_code, busy.value.type) == (529, "overloaded_error")
    assert int(busy.value.response.headers["retry-after"]) > 0
    upstream.forget_scripts()
    told = client.with_options(max_retries=5).messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    assert told.stop_reason == "end_turn"


def test_a_limit_that_is_used_up_is_not_asked_again(
    client: Anthropic, server: Served, upstream: ScriptedUpstream
) -> None:
    token = server.get("/api/tokens").json()["tokens"][0]["id"]
    limited = server.ask("PUT", f"/api/tokens/{token}/budget", {"period": "day", "limit": 1})
    assert limited.status == 200, limited.data
    with pytest.raises(anthropic.RateLimitError) as refused:
        client.with_options(max_retries=2).messages.create(model=MODEL, max_tokens=9, messages=HELLO)
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert upstream.journal.chats == []


def test_a_program_that_leaves_stops_the_provider_and_is_booked_once(
    client: Anthropic, server: Served, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    with client.messages.create(model=MODEL, max_tokens=30_000, messages=HELLO, stream=True) as answer:
        next(iter(answer))
    upstream.journal.wait_for(1)
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    wait_until(lambda: record(server).get("outcome") == "left")


def test_a_revoked_token_ends_an_answer_within_seconds(
    client: Anthropic, server: Served, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    answer = client.messages.create(model=MODEL, max_tokens=30_000, messages=HELLO, stream=True)
    next(iter(answer))
    token = server.get("/api/tokens").json()["tokens"][0]["id"]
    assert server.ask("DELETE", f"/api/tokens/{token}", None).status == 204
    with pytest.raises(anthropic.APIStatusError) as ended:
        list(answer)
    assert kind_of(ended.value) == "authentication_error"
    with pytest.raises(anthropic.AuthenticationError):
        client.messages.count_tokens(model=MODEL, messages=HELLO)
