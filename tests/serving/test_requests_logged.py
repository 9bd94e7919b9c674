"""Whatever programs ask of the real server, and whatever befalls them: each request has one row, and it is true.

The suite asks a few hundred times; `make requests` asks ten thousand times.
"""

import os
import signal
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import wait_until
from tests.support.mixed_requests import Asked, Obliging, Programs
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import Served, served

REQUESTS = int(os.environ.get("GATEWAY_REQUESTS", "300"))
SEED = int(os.environ.get("GATEWAY_SEED", "1"))
FINISH_SECONDS = 2


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        running.default = Obliging()
        yield running


@pytest.fixture
def server(tmp_path: Path, upstream: ScriptedUpstream) -> Iterator[Served]:
    settings = {
        "DEEPSEEK_API_KEY": "test-key",
        "DEEPSEEK_BASE_URL": upstream.base_url,
        "ALLOW_INSECURE_UPSTREAMS": "1",
        "CHAT_RATE_LIMIT": "100000/minute",
        "MAX_RUNS_PER_USER": "100",
        "TRUSTED_PROXIES": "1",
        "UPSTREAM_FIRST_TOKEN_SECONDS": "3",
        "ANSWERS_MAY_FINISH_SECONDS": str(FINISH_SECONDS),
    }
    with served(tmp_path, **settings) as running:
        running.set_up()
        often = {"requests": {"amount": 10_000, "seconds": 60}}  # who is refused more often than that has no row
        assert running.ask("PUT", "/api/admin/rates/site", often).status == 200
        for name in ("second", "third", "fourth"):  # a key that failed rests
            key = {"label": name, "secret": f"sk-{name}-0000", "base_url": upstream.base_url}
            assert running.post("/api/admin/keys", key).status == 201
        yield running


@pytest.fixture
def programs(server: Served, upstream: ScriptedUpstream) -> Programs:
    secrets = [server.post("/api/tokens", {"name": name}).json()["secret"] for name in ("one", "two")]
    return Programs(server.base_url, secrets, SEED)


def rows(folder: Path, query: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{folder / 'mingchat.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def test_every_request_has_one_row_and_every_attempt_one_end(
    tmp_path: Path, server: Served, upstream: ScriptedUpstream, programs: Programs
) -> None:
    programs.ask(REQUESTS)
    upstream.journal.wait_until_idle()
    wait_until(lambda: len(rows(tmp_path, "SELECT id FROM program_requests")) >= REQUESTS)
    compare(tmp_path, upstream, programs.asked)
    server.assert_sound_ledger()
    seen = Counter(row["error_code"] or row["status"] for row in rows(tmp_path, "SELECT * FROM program_requests"))
    missing = {200, "left", "model_not_found", "invalid_field", "upstream_cut", "upstream_rejected"} - seen.keys()
    calls = {row["call"] for row in rows(tmp_path, "SELECT * FROM program_requests")}
    missing |= {"chat.completions", "messages", "responses", "completions", "embeddings"} - calls
    assert not missing, "they must be among what is compared"
    assert any(each.replayed for each in programs.asked), "some replies must have been given again"
    several = [each for each in programs.asked if each.n > 1 and each.kind in {"answer", "uncounted"} and not each.code]
    assert several, "some must have asked for several answers at once"
    assert all(each.numbers == each.n for each in several)


def test_a_server_that_is_stopped_in_mid_answer_leaves_a_row_for_each(
    tmp_path: Path, server: Served, upstream: ScriptedUpstream, programs: Programs
) -> None:
    asked = [Asked(f"the-stopped-request-{number}", "stays", is_stream=number % 2 == 0) for number in range(10)]
    readers = [threading.Thread(target=programs.send, args=[each]) for each in asked]
    for reader in readers:
        reader.start()
    upstream.journal.wait_for(len(asked))
    wait_until(lambda: all(each.status == 200 for each in asked if each.is_stream))
    server.process.send_signal(signal.SIGTERM)
    for reader in readers:
        reader.join()
    server.process.wait(60)
    compare(tmp_path, upstream, asked)
    assert {each["error_code"] for each in rows(tmp_path, "SELECT * FROM program_requests")} == {"restarting"}
    assert [each for each in asked if each.status == 200], "some had begun"
    assert [each for each in asked if each.status == 503], "others were waited for"


def compare(folder: Path, upstream: ScriptedUpstream, asked: list[Asked]) -> None:
    """What programs were told, the log, the attempts, the ledger, and the provider's own journal."""
    logged = rows(folder, "SELECT * FROM program_requests")
    counted = Counter(row["request_id"] for row in logged)
    assert counted == Counter(each.id for each in asked), "one row for each request"
    of_requests: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for attempt in rows(folder, "SELECT * FROM proxy_logs"):
        of_requests[attempt["request_id"]].append(attempt)
    entries = Counter(row["attempt_id"] for row in rows(folder, "SELECT * FROM token_usage"))
    told = Counter(request.headers["x-request-id"] for request in upstream.journal.chats)
    found = {row["request_id"]: row for row in logged}
    for each in asked:
        _compare_one(each, found[each.id], of_requests[each.id])
    attempts = {attempt["id"]: attempt for each in of_requests.values() for attempt in each}
    assert told == Counter(attempts.keys() & told.keys()), "what the provider was asked was dispatched, and once"
    for attempt_id, attempt in attempts.items():
        assert attempt_id in told or attempt["state"] == "released", attempt  # its program left before
        assert entries[attempt_id] == {"settled": 1, "released": 0}[attempt["state"]], attempt
    assert not entries.keys() - attempts.keys()
    _compare_keys(asked, of_requests, entries)


def _compare_keys(asked: list[Asked], of_requests: dict[str, list[dict[str, Any]]], entries: Counter[str]) -> None:
    """However often it was sent, it was paid for once; what was given again cost nothing."""
    booked = Counter[str]()
    for each in asked:
        attempts = of_requests.get(each.id, [])
        assert not (each.replayed and attempts), each
        if each.key:
            booked[each.key] += sum(entries[attempt["id"]] for attempt in attempts)
    assert max(booked.values(), default=0) <= 1, [key for key, count in booked.items() if count > 1]


def _compare_one(asked: Asked, row: dict[str, Any], attempts: list[dict[str, Any]]) -> None:
    both = f"{asked} {row}"
    assert row["attempts"] == len(attempts), both
    assert (row["attempt_id"] is None) == (not attempts), both
    assert row["attempt_id"] in {None, *(attempt["id"] for attempt in attempts)}, both
    if asked.length is None:  # it left; on a slow machine perhaps just as it was refused
        has_left = (row["error_code"], row["status"]) in {("left", 200), ("left", 499)}
        assert has_left or (asked.status is None and row["status"] >= 400), both
        return
    assert (row["status"], row["bytes_sent"]) == (asked.status, asked.length), both
    if asked.code is None or not asked.speaks_messages:
        assert row["error_code"] == asked.code, both
    assert (row["first_token_ms"] or 0) <= row["duration_ms"], both
