"""A temporary chat at the real server: whatever is killed, no file of the instance has a word of it."""

import contextlib
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import urllib3

from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, Stream, served
from tests.support.temporary import ENDLESS, QUESTION, files_with_words


def records(server: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("/api/usage/records").json()["records"]
    return found


def kept_tokens(instance: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{instance / 'mingchat.db'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT max(kept_tokens) FROM runs").fetchone()[0] or 0)


def test_a_worker_that_is_killed_leaves_a_count_and_no_word(tmp_path: Path) -> None:
    with ScriptedUpstream() as upstream:
        upstream.script(ENDLESS)
        settings = {"DEEPSEEK_BASE_URL": upstream.base_url, "ALLOW_INSECURE_UPSTREAMS": "1"}
        with served(tmp_path, DEEPSEEK_API_KEY="test-key", **settings) as server:
            server.set_up()
            body = {"messages": [QUESTION], "idempotency_key": "once"}
            stream = Stream(server.ask("POST", "/api/temporary/answers", body, whole=False))
            run_id = next(iter(stream))[1]["run_id"]
            wait_until(lambda: kept_tokens(tmp_path) > 20)
            os.kill(server.workers()[0], signal.SIGKILL)
            with contextlib.suppress(urllib3.exceptions.ProtocolError):  # the worker's end, in mid-chunk
                list(stream)
            wait_until(lambda: records(server))
            (record,) = records(server)
            assert (record["outcome"], record["source"]) == ("interrupted", "estimated")
            assert record["completion_tokens"] > 20
            (end,) = server.follow(run_id, stream.last_id)
            assert (end[0], end[1]["status"]) == ("done", "interrupted")
            assert (tmp_path / "mingchat.db").exists()
            assert files_with_words(tmp_path) == set()
        assert files_with_words(tmp_path) == set()
