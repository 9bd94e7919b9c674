"""A whole day of chat with a provider that keeps its own account, under a clock that the test sets."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support import clocks
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage
from tests.support.served import ROOT, Served, served
from tests.support.upstream_account import Account, is_peak

DAY = "2026-12-02"  # a Wednesday
MIDNIGHT = datetime(2026, 12, 1, 16, tzinfo=UTC)  # its beginning in Shanghai
KEY = "/api/admin/keys/environment"
TOPPED_UP = 10.25  # o'clock


@dataclass
class Place:
    """A server and its provider, both at the hour that the test says."""

    server: Served
    provider: ScriptedUpstream
    account: Account
    clock_file: Path
    folder: Path

    def go_to(self, hour: float) -> None:
        ahead = (MIDNIGHT + timedelta(hours=hour)).timestamp() - time.time()
        clocks.set_ahead(self.clock_file, round(ahead))
        self.account.clock = lambda: datetime.now(UTC) + timedelta(seconds=round(ahead))

    def read(self) -> None:
        self.provider.journal.wait_until_idle()
        assert self.server.post(f"{KEY}/balance", {}).status == 200

    def ask(self, model: str, *scripts: Any) -> None:
        self.provider.script(*scripts)
        assert list(self.server.chat("hello " * 2_000, model=model)), "an answer, or why there is none"
        self.server.ask("DELETE", f"{KEY}/bench", None)

    def days(self) -> list[dict[str, Any]]:
        path = f"/api/admin/reconciliations?from={DAY}&to={DAY}"
        found: list[dict[str, Any]] = self.server.get(path).json()["days"]
        return found

    def reconcile(self) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "flask", "usage", "reconcile", "--day", DAY]
        return subprocess.run(command, cwd=ROOT, env=self.server.environ, capture_output=True, text=True, check=False)


@pytest.fixture(params=[6, 2])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The provider tells its balance to the millionth, or to the hundredth as DeepSeek does."""
    account = Account(granted=Decimal(1), decimals=request.param)
    clock_file = tmp_path / "clock"
    folder = tmp_path / "instance"
    folder.mkdir()
    with ScriptedUpstream() as provider:
        provider.account = account
        settings = {
            "DEEPSEEK_API_KEY": "sk-scripted-0000",
            "DEEPSEEK_BASE_URL": provider.base_url,
            "ALLOW_INSECURE_UPSTREAMS": "1",
            "CHAT_RATE_LIMIT": "10000 per minute",
        }
        clocks.set_ahead(clock_file, round(MIDNIGHT.timestamp() - time.time()))
        with served(folder, None, "one test deletes an entry", **settings, **clocks.faked(clock_file)) as server:
            server.set_up()
            assert server.get("/api/models").status == 200  # the environment's key is stored at first use
            yield Place(server, provider, account, clock_file, folder)


def used(number: int) -> Usage:
    """Some of the prompt is in the provider's cache."""
    return Usage(prompt=9_000 + number, cached=number * 90, completion=25_000 + 7 * number, reasoning=11 * number)


def live_through(place: Place) -> None:
    """A reading each half an hour. Answers around every edge of the peak hours; failures, and a cut; a top-up."""
    events = {hour + minutes for hour in (9, 12, 14, 18) for minutes in (-0.05, 0.05)}
    hours = sorted({*events, *(half / 2 + 0.01 for half in range(49)), TOPPED_UP, 20.1, 23.9})
    for number, hour in enumerate(hours):
        place.go_to(hour)
        if hour == TOPPED_UP:
            place.account.topped_up += 50
        elif hour == 20.1:
            place.ask("deepseek-flash", Status(400))
            place.ask("deepseek-flash", Status(503))
            place.ask("deepseek-flash", Answer("never heard", cut_at=0))
        elif hour in events or hour == 23.9:
            place.ask("deepseek-flash", Answer("one", usage=used(number)))
            place.ask("deepseek-v4-pro", Answer("two", thinking="so", usage=used(number)))
            broken = Answer("a word after another " * 9, usage=used(number), cumulative_usage=True, cut_at=3_000)
            place.ask("deepseek-flash", broken)
        else:
            place.read()


def forget(folder: Path, attempt: str) -> None:
    with closing(sqlite3.connect(folder / "mingchat.db")) as database, database:
        database.execute("DELETE FROM token_usage WHERE attempt_id = ?", (attempt,))


def booked(folder: Path) -> list[tuple[str, int, str, int]]:
    """Attempt, cost, outcome and whether at peak hours, the dearest first."""
    query = "SELECT attempt_id, cost_micros, outcome, peak FROM token_usage ORDER BY cost_micros DESC"
    with closing(sqlite3.connect(folder / "mingchat.db")) as database:
        return database.execute(query).fetchall()


def test_a_day_comes_to_nothing_and_what_is_forgotten_is_found(place: Place) -> None:
    live_through(place)
    entries = booked(place.folder)
    assert {(outcome, bool(peak)) for *_, outcome, peak in entries} >= {
        ("complete", True),
        ("complete", False),
        ("interrupted", True),
        ("interrupted", False),
    }
    assert sum(cost for _, cost, *_ in entries) == int(sum(place.account.charged) * 1_000_000)
    assert is_peak(MIDNIGHT + timedelta(hours=11.95))
    rounding = 0 if place.account.decimals == 6 else 4 * 5_000  # before and after each of two stretches
    (day,) = place.days()
    assert day["readings"] > 40
    assert (day["state"], set(day["aside"])) == ("partial", {"credited"}), "the top-up is said, and is no drift"
    assert abs(day["aside"]["credited"] + 50_000_000) <= rounding
    assert abs(day["drift"]) <= rounding
    assert place.reconcile().returncode == 0

    attempt, cost, *_ = entries[0]
    forget(place.folder, attempt)
    place.go_to(24.1)
    said = place.reconcile()
    assert (said.returncode, attempt in said.stdout) == (1, True), said.stdout + said.stderr
    assert cost > 100_000
