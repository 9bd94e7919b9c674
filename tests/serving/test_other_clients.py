"""`llm` and LiteLLM against the real server, told of it as docs/gateway.md says.

They have an environment of their own (requirements-clients.txt): `make test-sqlite` makes it, and names its folder of
commands in MINGCHAT_CLIENTS. Alone: `make .clients`, then MINGCHAT_CLIENTS=$PWD/.venv-clients/bin .venv/bin/pytest …
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.scripted_upstream import Answer, Embedded, ScriptedUpstream, Status
from tests.support.served import ROOT, Served
from tests.support.upstream_embeddings import EMBEDDINGS, vector

DOCUMENT = (ROOT / "docs" / "gateway.md").read_text("utf-8")
ADDRESS = "https://chat.example.org/v1"
COMMANDS = os.environ.get("MINGCHAT_CLIENTS", "")
CALL: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
(SETTINGS,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
(LITELLM,) = re.findall(r"```\n(export OPENAI_API_BASE.*?)```", DOCUMENT, re.DOTALL)
LOOP = """
import litellm
asked, tool = [{"role": "user", "content": "Hello."}], {"type": "function", "function": {"name": "weather"}}
ask = lambda messages, **more: litellm.completion("openai/deepseek-flash", messages, tools=[tool], **more)
said = ask(asked, min_p=0.1).choices[0].message
heard = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "sunny"}
chunks = ask([*asked, said, heard], stream=True, max_retries=5)
print("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
"""
OTHERS = """
import json, litellm
responded = litellm.responses(model="openai/deepseek-flash", input="Hello.")
events = list(litellm.responses(model="openai/deepseek-flash", input="Hello.", stream=True))
embedded = litellm.embedding("openai/deepseek-flash", ["one", "two"], encoding_format="float")
try:
    litellm.completion("openai/gpt-0", [{"role": "user", "content": "Hello."}])
except litellm.NotFoundError as error:
    failed = error.status_code
vectors = [each["embedding"] for each in embedded.data]
print(json.dumps([responded.output[-1].content[0].text, events[-1].type.value, vectors, failed]))
"""

needs_them = pytest.mark.skipif(not COMMANDS, reason="MINGCHAT_CLIENTS names no environment that has llm and LiteLLM")


def said(home: Path, *command: str, **environ: str) -> str:
    places = {"PATH": f"{COMMANDS}:{os.environ['PATH']}", "HOME": str(home), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    ran = subprocess.run(command, env=places | environ, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def calling(name: str) -> Answer:
    call = CALL | {"function": {"name": name, "arguments": "{}"}}
    return Answer("", deltas=({"tool_calls": [call]},), finish_reason="tool_calls")


def test_what_the_document_says_can_be_read() -> None:
    (model,) = yaml.safe_load(SETTINGS)
    assert (model["model_name"], model["api_base"]) == ("deepseek-flash", ADDRESS)
    assert ADDRESS in LITELLM


@needs_them
def test_llm(server: Served, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    secret = server.post("/api/tokens", {"name": "llm"}).json()["secret"]
    settings = tmp_path / "extra-openai-models.yaml"
    settings.write_text(SETTINGS.replace(ADDRESS, f"{server.base_url}/v1"))

    def llm(*words: str) -> str:
        return said(tmp_path, "llm", *words, LLM_USER_PATH=str(tmp_path))

    llm("keys", "set", "mingchat", "--value", secret)
    upstream.script(Answer("Hello, Ada."), Answer("And Bob."), calling("llm_version"), Answer("That one."))
    assert llm("-m", "mingchat", "Hello") == "Hello, Ada."
    assert llm("-c", "--no-stream", "And?") == "And Bob."
    assert llm("-m", "mingchat", "-T", "llm_version", "-o", "temperature", "1", "Which version?") == "That one."
    assert upstream.journal.last.body["messages"][-1]["role"] == "tool"

    upstream.script(Answer('{"name": "Ada", "age": 36}'))
    assert json.loads(llm("-m", "mingchat", "--schema", "name, age int", "Who?")) == {"name": "Ada", "age": 36}
    assert upstream.journal.last.body["response_format"]["json_schema"]["schema"]["required"] == ["name", "age"]


@needs_them
def test_litellm(server: Served, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    secret = server.post("/api/tokens", {"name": "LiteLLM"}).json()["secret"]
    address = f"{server.base_url}/v1"
    upstream.forget_scripts()
    upstream.journal.clear()
    upstream.script(Answer("Hello, Ada."), calling("weather"), Status(429, retry_after=1), Answer("It is sunny."))
    assert "Hello, Ada." in said(tmp_path, "sh", "-c", LITELLM.replace(ADDRESS, address), TOKEN=secret)
    told = said(tmp_path, "python", "-c", LOOP, OPENAI_API_BASE=address, OPENAI_API_KEY=secret)
    assert told == "It is sunny."
    assert upstream.journal.chats[1].body["min_p"] == 0.1


@needs_them
def test_litellms_other_calls(server: Served, upstream: ScriptedUpstream, tmp_path: Path) -> None:
    secret = server.post("/api/tokens", {"name": "LiteLLM"}).json()["secret"]
    upstream.forget_scripts()
    upstream.script(Answer("Hello, Ada."), Answer("And Bob."))
    upstream.script(Embedded(), path=EMBEDDINGS)
    environ = {"OPENAI_API_BASE": f"{server.base_url}/v1", "OPENAI_API_KEY": secret}
    told = said(tmp_path, "python", "-c", OTHERS, **environ).splitlines()[-1]
    assert json.loads(told) == ["Hello, Ada.", "response.completed", [vector(0), vector(1)], 404]
