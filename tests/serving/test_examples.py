"""The examples of the page *API access* and of the README, as they are copied: commands are run, settings are read."""

import html
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from flask_app.services.providers.model_lists import KNOWN_WINDOWS
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD, ROOT, USERNAME, Served, served_to_programs

MODEL = "deepseek-flash"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.script(Answer("Hello, Ada."), always=True)
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: ScriptedUpstream) -> Iterator[Served]:
    with served_to_programs(tmp_path_factory.mktemp("instance"), upstream) as running:
        yield running


@pytest.fixture(scope="module")
def examples(server: Served) -> dict[str, str]:
    """Each by its name, as the page has it."""
    page = urllib3.request("GET", f"{server.base_url}/tokens", headers=server.headers).data.decode()
    found = re.findall(r'<code id="([\w-]+)-example">(.*?)</code>', page, re.DOTALL)
    return {name: html.unescape(text) for name, text in found}


@pytest.fixture(scope="module")
def run(server: Served) -> Run:
    """What a command says that has the token in its environment."""
    secret = server.post("/api/tokens", {"name": "examples"}).json()["secret"]
    environ = {"PATH": os.environ["PATH"], "MINGCHAT_TOKEN": secret}

    def said(*command: str) -> str:
        return subprocess.run(
            command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    return said


def test_the_commands_are_answered(examples: dict[str, str], run: Run) -> None:
    assert json.loads(run("sh", "-c", examples["curl"]))["choices"][0]["message"]["content"] == "Hello, Ada."
    assert json.loads(run("sh", "-c", examples["messages"]))["content"][0]["text"] == "Hello, Ada."
    assert run(sys.executable, "-c", examples["python"]) == "Hello, Ada."
    assert run("node", "--input-type=module", "-e", examples["node"]).strip() == "Hello, Ada."


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_signs_in_and_chats(readme: str, server: Served, tmp_path: Path) -> None:
    (example,) = re.findall(r"```\n(csrf=.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    environ = {"PATH": os.environ["PATH"], "site": server.base_url}
    named = example.replace("ada", USERNAME).replace("a long one", PASSWORD)
    shell = ["sh", "-c", named]
    said = subprocess.run(shell, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    events = re.findall(r"^event: (.*)\ndata: (.*)$", said.stdout, re.M)
    assert events, said.stdout + said.stderr
    assert "".join(json.loads(told)["text"] for name, told in events if name == "token") == "Hello, Ada."
    assert [name for name, _ in events][-1] == "done"


def test_claude_codes_environment(examples: dict[str, str], run: Run) -> None:
    *exports, command = examples["claude-code"].splitlines()
    assert command == "claude"
    told = run("sh", "-c", "\n".join([*exports, 'echo "$ANTHROPIC_BASE_URL/v1 $ANTHROPIC_MODEL"']))
    assert told.split() == [re.findall(r"https?://\S+/v1", examples["curl"])[0], MODEL]


def test_the_settings_of_editors(examples: dict[str, str]) -> None:
    address = re.findall(r"https?://\S+/v1", examples["curl"])[0]
    codex = tomllib.loads(examples["codex"])
    provider = codex["model_providers"][codex["model_provider"]]
    assert (codex["model"], provider["base_url"], provider["env_key"]) == (MODEL, address, "MINGCHAT_TOKEN")
    (zed,) = json.loads(examples["zed"])["language_models"]["openai_compatible"].values()
    assert zed["api_url"] == address
    assert zed["available_models"] == [{"name": MODEL, "max_tokens": KNOWN_WINDOWS[MODEL]}]
    (continued,) = yaml.safe_load(examples["continue"])["models"]
    assert (continued["provider"], continued["model"], continued["apiBase"]) == ("openai", MODEL, address)
    assert continued["apiKey"] == "${{ secrets.MINGCHAT_TOKEN }}"


def test_the_document_has_codex_as_the_page(examples: dict[str, str]) -> None:
    document = (ROOT / "docs" / "gateway.md").read_text("utf-8")
    (written,) = re.findall(r"```\n(model = .*?)```", document, re.DOTALL)
    shown = tomllib.loads(examples["codex"])
    told: dict[str, Any] = tomllib.loads(written)
    for each in (shown, told):
        del each["model_providers"]["mingchat"]["base_url"]
    assert shown == told
