"""A backup while people chat: it is of one moment, and what was in the making then comes to its end elsewhere."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scripts import settings_file
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import HANDED_ON, PASSWORD, ROOT, USERNAME, Served, Stream, served
from tests.support.upstream_paused import Paused

AT_ONCE = 3
LEASE_SECONDS = 60
GROWTH_MB = 25  # for a batch on its way


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


def settings_of(upstream: ScriptedUpstream) -> dict[str, str]:
    return {
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "DEEPSEEK_API_KEY": "test-key",
        "CHAT_RATE_LIMIT": "1000 per minute",
        "MAX_RUNS_PER_USER": "10",
    }


def flask(instance: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environ |= {"INSTANCE_DIR": str(instance), settings_file.SKIP: "1"}
    command = [sys.executable, "-m", "flask", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def answers(server: Served) -> list[dict[str, Any]]:
    time.sleep(0.5)  # whoever asks without a pause meets the limit of requests
    reply = server.get("/api/conversations")
    assert reply.status == 200, reply.data
    conversations = reply.json()["conversations"]
    whole = [server.get(f"/api/conversations/{each['id']}").json()["messages"] for each in conversations]
    return [message for messages in whole for message in messages if message["role"] == "assistant"]


def follow(stream: Stream, ends: list[str]) -> threading.Thread:
    """Read it to its end, which goes to `ends`."""

    def read() -> None:
        ends.append([name for name, _ in stream][-1])

    thread = threading.Thread(target=read)
    thread.start()
    return thread


def test_answers_stream_on_while_a_backup_is_made_and_end_where_it_is_restored(
    tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    file, ends = tmp_path / "b", list[str]()
    with served(tmp_path / "here", **settings_of(upstream)) as here:
        here.set_up()
        assert [name for name, _ in here.chat("a short one")][-1] == "done"
        upstream.default = unended = Paused("word " * 40, "word " * 40)
        readers = [follow(here.chat("go on"), ends) for _ in range(AT_ONCE)]
        wait_until(lambda: len([each for each in answers(here) if each["text"]]) == AT_ONCE + 1)
        made = flask(tmp_path / "here", "backup", file)
        assert made.returncode == 0, made.stderr
        assert f"{AT_ONCE} answers were being made" in made.stderr
        refused = flask(tmp_path / "here", "restore", "--replace", file)
        assert (refused.returncode, "MingChat runs on" in refused.stderr) == (1, True)
        unended.go_on()
        for reader in readers:
            reader.join(60)
        assert ends == ["done"] * AT_ONCE
        here.assert_sound_ledger()
    restored = flask(tmp_path / "there", "restore", file)
    assert restored.returncode == 0, restored.stderr
    assert "1 entries of 1 people" in restored.stderr
    with served(tmp_path / "there", **settings_of(upstream)) as there:
        there.sign_in(there.post("/api/login", {"username": USERNAME, "password": PASSWORD}))
        wait_until(lambda: {each["status"] for each in answers(there)} == {"complete", "interrupted"}, LEASE_SECONDS)
        records = there.get("/api/usage/records").json()["records"]
        assert sorted(each["source"] for each in records) == ["estimated"] * AT_ONCE + ["reported"]
        there.assert_sound_ledger()


def test_one_that_is_cut_leaves_a_new_folder_its_own_keys_until_the_next(tmp_path: Path) -> None:
    """As docs/operations.md says."""
    here, there, whole, cut = (tmp_path / name for name in ("here", "there", "whole", "cut"))
    migrate(here)
    assert flask(here, "backup", whole).returncode == 0
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    refused = flask(there, "restore", cut)
    assert (refused.returncode, "Nothing was restored." in refused.stderr) == (1, True)
    assert {path.name for path in there.iterdir()} == {"running.lock", "secrets.json"}
    keys = [(folder / "secrets.json").read_bytes() for folder in (here, there)]
    assert keys[0] != keys[1]
    assert flask(there, "restore", whole).returncode == 0
    assert json.loads((there / "secrets.json").read_bytes()) == json.loads(keys[0])


def migrate(instance: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "INSTANCE_DIR": str(instance), settings_file.SKIP: "1"}
    subprocess.run([sys.executable, "-m", "scripts.migrate"], cwd=ROOT, env=environ, check=True)


def peak_memory(instance: Path, *arguments: str | Path) -> int:
    """Of `flask …`, in megabytes."""
    environ = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
    environ |= {"INSTANCE_DIR": str(instance), settings_file.SKIP: "1"}
    command = [sys.executable, "-m", "flask", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_maxrss // 1024


ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
MOMENT = "'2026-01-01 00:00:00.000000'"
MANY = [
    f"""{ROWS.format(200_000)} INSERT INTO audit_log (id, actor_name, action, target, details, address, created_at)
        SELECT printf('%026d', i), 'x', 'x', 'x', hex(randomblob(150)), '', {MOMENT} FROM n""",
]
LONG = [
    """INSERT INTO conversations (id, user_id, title, created_at, updated_at)
        SELECT 'c', id, 'x', created_at, created_at FROM users""",
    f"""{ROWS.format(60)} INSERT INTO messages (id, conversation_id, role, status, text, reasoning, created_at)
        SELECT printf('%026d', i), 'c', 'user', 'complete', hex(randomblob(500000)), '', {MOMENT} FROM n""",
    f"""{ROWS.format(60)} INSERT INTO program_words (id, user_id, token_id, content, until)
        SELECT printf('%026d', i), 'u', 't', randomblob(1000000), {MOMENT} FROM n""",
]


@pytest.mark.parametrize("more", [MANY, LONG], ids=["many", "long"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, more: list[str]) -> None:
    """200,000 rows are 60 MB of text, 120 long ones twice as much."""
    here = tmp_path / "here"
    assert flask(here, "users", "list").returncode == 1, "no tables yet"
    migrate(here)
    assert flask(here, "users", "create", "somebody").returncode == 0
    few = peak_memory(here, "backup", tmp_path / "few"), peak_memory(tmp_path / "a", "restore", tmp_path / "few")
    with closing(sqlite3.connect(here / "mingchat.db")) as connection:
        for statement in more:
            connection.execute(statement)
        connection.commit()
    many = peak_memory(here, "backup", tmp_path / "many"), peak_memory(tmp_path / "b", "restore", tmp_path / "many")
    assert max(after - before for before, after in zip(few, many, strict=True)) < GROWTH_MB
