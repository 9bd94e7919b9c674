"""OpenAI's own package for Node against the real server."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted_upstream import Answer, ErrorEvent, ScriptedUpstream, Status, Usage
from tests.support.served import Served

PROGRAM = Path(__file__).parents[1] / "support" / "openai-client.mjs"
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
CALLING = Answer("I look.", thinking="Where?", deltas=({"tool_calls": [CALL]},), finish_reason="tool_calls")

Run = Callable[[str], Any]


@pytest.fixture
def run(server: Served, upstream: ScriptedUpstream) -> Run:
    """What the package was told on one of the program's paths."""
    upstream.forget_scripts()
    upstream.journal.clear()
    secret = server.post("/api/tokens", {"name": "node"}).json()["secret"]
    environ = {"PATH": os.environ["PATH"], "OPENAI_BASE_URL": f"{server.base_url}/v1", "OPENAI_API_KEY": secret}
    node = shutil.which("node")
    assert node

    def told(path: str) -> Any:
        ran = subprocess.run([node, PROGRAM, path], env=environ, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(ran.stdout)

    return told


def test_a_chat(run: Run, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("Hello, Ada.", usage=Usage(prompt=12, cached=4, completion=5)))
    told = run("chat")
    assert (told["content"], told["usage"]["total_tokens"]) == ("Hello, Ada.", 17)
    assert told["request_id"]


def test_a_stream(run: Run, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("one two three", usage=Usage(prompt=3, completion=3)))
    told = run("stream")
    assert (told["content"], told["usage"]["total_tokens"]) == ("one two three", 6)


@pytest.mark.parametrize("path", ["tool", "loop"])
def test_a_loop_with_a_tool(run: Run, upstream: ScriptedUpstream, path: str) -> None:
    upstream.script(CALLING, Answer("It is sunny."))
    told = run(path)
    assert told["content"] == "It is sunny."
    assert told.get("asked", [{"city": "Rome"}]) == [{"city": "Rome"}]
    _, said, heard = upstream.journal.last.body["messages"]
    assert said["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Rome"}'}
    assert heard == {"role": "tool", "content": "sunny", "tool_call_id": "call_1"}


def test_errors_are_the_packages_own(run: Run, upstream: ScriptedUpstream) -> None:
    unknown = run("error")
    assert (unknown["class"], unknown["status"], unknown["code"]) == ("NotFoundError", 404, "model_not_found")
    assert unknown["request_id"]
    upstream.script(ErrorEvent(after="It began"))
    broken = run("broken")
    assert (broken["class"], broken["code"]) == ("APIError", "upstream_failed")
    assert broken["request_id"]


def test_the_package_asks_again_where_that_helps(run: Run, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(429, retry_after=1), always=True)
    busy = run("once")
    assert (busy["class"], busy["status"], busy["code"]) == ("InternalServerError", 503, "upstream_busy")
    assert int(busy["retry_after"]) > 0
    upstream.forget_scripts()
    upstream.script(Status(429, retry_after=1), Answer("Hello, Ada."))
    assert run("retry") == {"content": "Hello, Ada.", "status": 200}
    assert len(upstream.journal.chats) > 2
