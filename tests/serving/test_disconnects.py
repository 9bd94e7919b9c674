"""Programs that leave the real server, with a token that has their answers made to their end."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from flask_app.streams.keeper import HEARTBEAT_SECONDS
from tests.support.brokers import PATIENCE, wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import Served

MODEL = "deepseek-flash"
HELLO: list[Any] = [{"role": "user", "content": "Hello."}]
USED = Usage(prompt=9, completion=60)


@pytest.fixture
def client(server: Served, upstream: ScriptedUpstream) -> Iterator[OpenAI]:
    upstream.journal.clear()
    token = {"name": "on a train", "on_disconnect": "continue"}
    secret = server.post("/api/tokens", token).json()["secret"]
    with OpenAI(base_url=f"{server.base_url}/v1", api_key=secret, max_retries=0) as made:
        yield made


def newest(server: Served, path: str, name: str) -> dict[str, Any]:
    """Of a list; nothing where there is none yet."""
    return next(iter(server.get(path).json()[name]), {})


def record(server: Served) -> dict[str, Any]:
    return newest(server, "/api/usage/records", "records")


def row(server: Served) -> dict[str, Any]:
    return newest(server, "/api/requests", "requests")


def check(server: Served, upstream: ScriptedUpstream, status: int) -> None:
    """It is booked as its provider counts, and the log says what was left."""
    wait_until(lambda: upstream.journal.chats and upstream.journal.last.usage_sent, HEARTBEAT_SECONDS + PATIENCE)
    wait_until(lambda: row(server).get("status") == status)
    booked, logged = record(server), row(server)
    assert (booked["outcome"], booked["source"], booked["total_tokens"]) == ("complete", "reported", 69)
    assert not upstream.journal.last.closed_early
    assert (logged["error_code"], logged["attempts"], logged["record_id"]) == ("left", 1, booked["id"])


def test_a_stream_is_made_to_its_end(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("word " * 60, tokens_per_second=12, usage=USED))
    with client.chat.completions.create(model=MODEL, messages=HELLO, stream=True) as answer:
        next(iter(answer))
    check(server, upstream, 200)


def test_so_is_a_whole_answer(client: OpenAI, server: Served, upstream: ScriptedUpstream) -> None:
    """That its program has gone is seen with a heartbeat."""
    upstream.script(Answer("word " * 60, first_token_after=HEARTBEAT_SECONDS + 2, usage=USED))
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=1).chat.completions.create(model=MODEL, messages=HELLO)
    check(server, upstream, 499)
