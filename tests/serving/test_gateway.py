"""OpenAI's own client against the real server: what programs see, and what becomes of an answer they leave."""

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessage

from flask_app.streams.keeper import HEARTBEAT_SECONDS
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import (
    Answer,
    Continued,
    Embedded,
    ErrorEvent,
    Script,
    ScriptedUpstream,
    Stall,
    Status,
    Usage,
)
from tests.support.served import PASSWORD, Served, Visitor
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS, vector

MODEL = "deepseek-flash"
HELLO: list[Any] = [{"role": "user", "content": "Hello."}]
ENDLESS = Answer("word " * 20_000, tokens_per_second=50)
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}

TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def client(server: Served, upstream: ScriptedUpstream) -> Iterator[OpenAI]:
    upstream.forget_scripts()
    upstream.journal.clear()
    secret = server.post("/api/tokens", {"name": "the sdk"}).json()["secret"]
    with OpenAI(base_url=f"{server.base_url}/v1", api_key=secret, max_retries=0) as made:
        yield made


def records(server: Served) -> list[dict[str, object]]:
    return list(server.get("/api/usage/records").json()["records"])


def test_a_chat(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hello, Ada.", usage=Usage(prompt=12, cached=4, completion=5)))
    made = client.chat.completions.create(model=MODEL, messages=HELLO)
    assert made.choices[0].message.content == "Hello, Ada."
    assert made.choices[0].finish_reason == "stop"
    assert made.usage
    assert (made.usage.prompt_tokens, made.usage.completion_tokens, made.usage.total_tokens) == (12, 5, 17)
    assert made.usage.prompt_tokens_details
    assert made.usage.prompt_tokens_details.cached_tokens == 4
    record = records(server)[0]
    assert (record["channel"], record["token_name"], record["total_tokens"]) == ("api", "the sdk", 17)


def test_streaming_and_usage_only_where_it_is_asked_for(client: OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script(*[Answer("one two three", usage=Usage(prompt=3, completion=3))] * 2)
    plain = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in plain) == "one two three"
    assert all(chunk.usage is None for chunk in plain)
    options: Any = {"include_usage": True}
    told = list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True, stream_options=options))
    assert told[-1].usage
    assert told[-1].usage.total_tokens == 6
    assert told[-1].choices == []


def test_the_clients_own_stream_helper_puts_an_answer_together(client: OpenAI, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two", deltas=({"tool_calls": [CALL]},), finish_reason="tool_calls"))
    with client.chat.completions.stream(model=MODEL, messages=HELLO, tools=[TOOL]) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.content == "one two"
    assert message.tool_calls
    assert message.tool_calls[0].function.arguments == '{"city":"Rome"}'
    assert upstream.journal.last.body["tools"] == [TOOL]


def test_errors_are_the_clients_own(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="gpt-0", messages=HELLO)
    assert unknown.value.code == "model_not_found"
    assert unknown.value.request_id
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=HELLO, n=9)
    assert refused.value.param == "n"
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-" + "0" * 48).models.list()
    upstream.script(Status(400))
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    upstream.script(ErrorEvent(after="It began"))
    with pytest.raises(openai.APIError) as broken:
        list(client.chat.completions.create(model=MODEL, messages=HELLO, stream=True))
    assert broken.value.code == "upstream_failed"
    assert isinstance(broken.value.body, dict)
    assert broken.value.body["request_id"]


@pytest.mark.parametrize("streams", [False, True])
def test_a_loop_with_a_tool(client: OpenAI, upstream: ScriptedUpstream, streams: bool) -> None:
    upstream.script(Answer("I look.", thinking="Where?", deltas=({"tool_calls": [CALL]},), finish_reason="tool_calls"))
    if streams:
        with client.chat.completions.stream(model=MODEL, messages=HELLO, tools=[TOOL]) as stream:
            said: ChatCompletionMessage = stream.get_final_completion().choices[0].message
    else:
        said = client.chat.completions.create(model=MODEL, messages=HELLO, tools=[TOOL]).choices[0].message
    assert said.tool_calls
    result: Any = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "sunny"}
    asked: Any = [*HELLO, said.to_dict(), result]
    upstream.script(Answer("It is."))
    told = client.chat.completions.create(model=MODEL, messages=asked, tools=[TOOL])
    assert (told.choices[0].message.content, told.choices[0].finish_reason) == ("It is.", "stop")
    _, back, heard = upstream.journal.last.body["messages"]
    assert (back["content"], back["reasoning_content"]) == ("I look.", "Where?")
    assert back["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert heard == result


def test_the_client_asks_again_where_its_provider_was_busy(
    client: OpenAI, server: Served, upstream: ScriptedUpstream
) -> None:
    upstream.script(Status(429, retry_after=4), always=True)
    with pytest.raises(openai.InternalServerError) as busy:
        client.chat.completions.create(model=MODEL, messages=HELLO)
    assert (busy.value.status_code, busy.value.code) == (503, "upstream_busy")
    assert int(busy.value.response.headers["retry-after"]) > 0
    upstream.forget_scripts()
    told = client.with_options(max_retries=5).chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    assert told.retries_taken > 0
    assert told.parse().choices[0].finish_reason == "stop"
    assert records(server)[0]["outcome"] == "complete"


def test_the_client_asks_again_where_its_token_was_in_use(
    client: OpenAI, server: Served, upstream: ScriptedUpstream
) -> None:
    token = server.get("/api/tokens").json()["tokens"][0]["id"]
    assert (
        server.ask(
            "PUT", f"/api/tokens/{token}/access", {"requests_per_minute": None, "parallel_requests": 1, "networks": []}
        ).status
        == 200
    )
    upstream.script(Answer("word " * 80, tokens_per_second=20), Answer("Hello, Ada."))
    with client.chat.completions.create(model=MODEL, messages=HELLO, stream=True) as answer:
        next(iter(answer))
        with pytest.raises(openai.RateLimitError) as refused:
            client.chat.completions.create(model=MODEL, messages=HELLO)
        assert refused.value.code == "too_many_runs_of_token"
        assert int(refused.value.response.headers["retry-after"]) > 0
        patient = client.with_options(max_retries=5)
        told = patient.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    assert told.retries_taken > 0
    assert told.parse().choices[0].message.content == "Hello, Ada."


def test_a_limit_that_is_used_up_is_not_asked_again(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    token = server.get("/api/tokens").json()["tokens"][0]["id"]
    assert server.ask("PUT", f"/api/tokens/{token}/budget", {"period": "day", "limit": 1}).status == 200
    with pytest.raises(openai.RateLimitError) as refused:
        client.with_options(max_retries=2).chat.completions.create(model=MODEL, messages=HELLO)
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert upstream.journal.chats == []


def test_how_far_a_program_may_go_is_in_the_headers(client: OpenAI, server: Served) -> None:
    """Of somebody who has asked for nothing before, so that no request of a minute ago is let go of meanwhile."""
    somebody, named = Visitor(server.base_url), {"username": "somebody new", "password": PASSWORD}
    assert server.post("/api/admin/users", named).status == 201
    somebody.sign_in(somebody.post("/api/login", named))
    fresh = client.with_options(api_key=somebody.post("/api/tokens", {"name": "New"}).json()["secret"])
    reply = fresh.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO)
    limit, left = (int(reply.headers[f"x-ratelimit-{figure}-requests"]) for figure in ("limit", "remaining"))
    assert 0 < left < limit
    assert reply.headers["x-ratelimit-reset-requests"] == "1m0s"
    assert reply.parse().choices
    with fresh.chat.completions.with_streaming_response.create(model=MODEL, messages=HELLO, stream=True) as stream:
        assert int(stream.headers["x-ratelimit-remaining-requests"]) == left - 1


def test_an_image_and_a_format(client: OpenAI, upstream: ScriptedUpstream) -> None:
    shown: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, shown]}]
    upstream.script(Answer('{"it": "a cat"}', usage=Usage(prompt=1200, completion=6)))
    made = client.chat.completions.create(model=MODEL, messages=asked, response_format={"type": "json_object"})
    assert made.choices[0].message.content == '{"it": "a cat"}'
    assert made.usage
    assert made.usage.prompt_tokens == 1200
    assert upstream.journal.last.body["messages"] == asked


def test_texts_are_gone_on_with(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Continued(), Continued(), Status(404), path=COMPLETIONS)
    made = client.completions.create(model=MODEL, prompt="def add(a, b):", suffix="print(1)", max_tokens=20, logprobs=1)
    assert (made.choices[0].text, made.choices[0].finish_reason) == ("return a + b", "stop")
    assert made.choices[0].logprobs
    assert "".join(made.choices[0].logprobs.tokens or ()) == "return a + b"
    assert made.usage
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (6, 4)
    pieces = list(client.completions.create(model=MODEL, prompt="def add(a, b):", stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == "return a + b"
    record = records(server)[0]
    assert (record["channel"], record["token_name"], record["total_tokens"]) == ("api", "the sdk", 10)
    with pytest.raises(openai.NotFoundError) as none:
        client.completions.create(model=MODEL, prompt="def add(a, b):")
    assert none.value.code == "completions_not_offered"


def test_embeddings(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    """The client asks for base64 where nobody says how the numbers shall come."""
    upstream.script(Embedded(), Embedded(), Status(404), path=EMBEDDINGS)
    made = client.embeddings.create(model=MODEL, input=["one", "two"])
    assert [each.embedding for each in made.data] == [vector(0), vector(1)]
    assert (made.usage.prompt_tokens, made.usage.total_tokens, made.model) == (7, 7, MODEL)
    assert upstream.journal.last.body["encoding_format"] == "base64"
    written = client.embeddings.create(model=MODEL, input="one", encoding_format="float")
    assert written.data[0].embedding == vector(0)
    record = records(server)[0]
    assert (record["channel"], record["token_name"], record["total_tokens"]) == ("api", "the sdk", 7)
    with pytest.raises(openai.NotFoundError) as none:
        client.embeddings.create(model=MODEL, input="one")
    assert none.value.code == "embeddings_not_offered"


def test_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["deepseek-flash", "deepseek-v4-pro"]
    assert client.models.retrieve("deepseek-flash").owned_by


@pytest.mark.parametrize(("stream", "script"), [(True, ENDLESS), (False, ENDLESS), (True, Stall("It began"))])
def test_a_program_that_leaves_stops_the_provider(
    client: OpenAI, server: Served, upstream: ScriptedUpstream, stream: bool, script: Script
) -> None:
    upstream.script(script)
    if stream:
        with client.chat.completions.create(model=MODEL, messages=HELLO, stream=True) as answer:
            next(iter(answer))
    else:
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=2).chat.completions.create(model=MODEL, messages=HELLO)
    began = time.monotonic()
    upstream.journal.wait_for(1)
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    assert time.monotonic() - began < 2.5 * HEARTBEAT_SECONDS, "a heartbeat notices at the latest"
    wait_until(lambda: [each["outcome"] for each in records(server)][:1] == ["left"])


@pytest.mark.security("demoted-mid-stream")
def test_a_revoked_token_ends_an_answer_within_seconds(
    client: OpenAI, server: Served, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    answer = client.chat.completions.create(model=MODEL, messages=HELLO, stream=True)
    next(iter(answer))
    token = server.get("/api/tokens").json()["tokens"][0]["id"]
    assert server.ask("DELETE", f"/api/tokens/{token}", None).status == 204
    began = time.monotonic()
    with pytest.raises(openai.APIError):
        list(answer)
    assert time.monotonic() - began < 10
    with pytest.raises(openai.AuthenticationError):
        client.models.list()
