"""Caps and benches where many come at once, from several processes, with clocks that jump."""

import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from flask_app.database import in_writing, new_id, transaction, utc_now
from flask_app.errors import Unavailable
from flask_app.models import Attempt
from flask_app.services.completion import cooldown_service
from flask_app.services.completion.cooldown_service import Taken
from flask_app.services.ledger import shared_clock
from tests.support.benches import bench_seconds, candidates, fail, failing, take, take_spare
from tests.support.claim import claim
from tests.support.keys import change_key, keep_key, stored_key
from tests.support.storage import ROOT
from tests.support.together import at_once

SOON = timedelta(minutes=5)


def attempt(key_id: str) -> Attempt:
    ids = {"request_id": "r", "user_id": "u", "provider_id": "p", "channel": "chat", "model": "m", "address": ""}
    return Attempt(id=new_id(), key_id=key_id, prompt_estimate=1, **ids)


def test_a_key_at_its_cap_is_skipped_and_when_all_are_it_is_said_so(provider_id: str) -> None:
    for name in "ab":
        keep_key(provider_id, name, max_concurrent=1)
    with transaction() as session:
        session.add(attempt("a"))
    assert take(provider_id).key.id == "b"
    with transaction() as session:
        session.add(attempt("b"))
    with pytest.raises(Unavailable) as caught:
        take(provider_id)
    assert (caught.value.code, caught.value.retry_after) == ("upstream_full", 5)


def test_what_nobody_waits_for_leaves_a_place_at_each_key(provider_id: str) -> None:
    keep_key(provider_id, "a", max_concurrent=1)
    keep_key(provider_id, "b", max_concurrent=3)
    for _ in range(2):
        assert take_spare(provider_id).key.id == "b"
        with transaction() as session:
            session.add(attempt("b"))
    with pytest.raises(Unavailable) as caught:
        take_spare(provider_id)
    assert caught.value.code == "upstream_full"
    assert {take(provider_id).key.id for _ in range(3)} == {"a"}


def test_a_cap_holds_when_many_come_at_once(provider_id: str) -> None:
    keep_key(provider_id, "a", max_concurrent=2)

    def ask(_: int) -> str:
        def work(connection: Any) -> str:
            taken = cooldown_service.take(connection, found)
            time.sleep(0.02)
            connection.execute(insert(Attempt), _row(attempt(taken.key.id or "")))
            return "taken"

        return in_writing(work)

    found = candidates(provider_id)
    outcomes = at_once(8, ask)
    assert [outcome for outcome in outcomes if outcome == "taken"] == ["taken"] * 2
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert [error.code for error in refused] == ["upstream_full"] * 6


def _row(made: Attempt) -> dict[str, Any]:
    filled = {"state": "dispatched", "bytes_received": 0, "created_at": utc_now()}
    named = {column.key: getattr(made, column.key) for column in Attempt.__table__.columns}
    return {name: value for name, value in named.items() if value is not None} | filled


@pytest.mark.parametrize(("code", "together"), [("upstream_busy", True), ("upstream_failed", False)])
def test_an_accounts_keys_that_fail_at_once_are_one_strike(provider_id: str, code: str, together: bool) -> None:
    for name in "abcd":
        keep_key(provider_id, name, account="ours")
    asked, taken = utc_now(), [Taken(candidate) for candidate in candidates(provider_id)]
    outcomes = at_once(16, lambda number: fail(taken[number % 4], failing(code), asked))
    assert outcomes == [None] * 16, "no deadlock may come through"
    assert [stored_key(name).strikes for name in "abcd"] == [1] * 4
    assert len({stored_key(name).benched_until for name in "abcd"}) == (1 if together else 4)


def test_many_who_find_every_key_full_are_told_so(provider_id: str) -> None:
    for name in "abc":
        keep_key(provider_id, name, max_concurrent=1)
    with transaction() as session:
        session.add_all(attempt(name) for name in "abc")
    found = candidates(provider_id)

    def ask(number: int) -> object:
        order = found[number % 3 :] + found[: number % 3]
        return in_writing(lambda connection: cooldown_service.take(connection, order))

    outcomes = at_once(12, ask)
    assert [getattr(outcome, "code", outcome) for outcome in outcomes] == ["upstream_full"] * 12


@pytest.mark.parametrize("account", [None, "ours"])
def test_of_threads_that_meet_a_half_open_key_one_probes(provider_id: str, account: str | None) -> None:
    for name in "ab":
        keep_key(provider_id, name, account=account)
    for _ in range(1 if account else 2):
        fail(take(provider_id), failing("upstream_busy"))
    past = utc_now() - timedelta(seconds=1)
    for name in "ab":
        change_key(name, benched_until=past, probe_until=None)
    keys = [candidate.key for candidate in candidates(provider_id)]
    outcomes = Counter(at_once(8, lambda number: claim(keys[number % 2])))
    assert outcomes == {"probe": 1 if account else 2, "upstream_resting": 7 if account else 6}


def test_of_processes_that_meet_a_half_open_key_one_probes(provider_id: str, database_url: str) -> None:
    keep_key(provider_id, "a", benched_until=utc_now(), bench_code="upstream_busy", last_error_at=utc_now())
    moment = str(time.time() + 4)
    command = [sys.executable, "-m", "tests.support.claim", database_url, "a", provider_id, moment]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outcomes = Counter(process.communicate(timeout=120)[0].strip() for process in running)
    assert outcomes == {"probe": 1, "upstream_resting": 2}


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_jump_of_the_databases_clock_makes_no_bench_longer(
    provider_id: str, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """It has jumped since the last look at it."""
    shared_clock.learn(utc_now())
    keep_key(provider_id, "a")
    taken = take(provider_id)
    monkeypatch.setattr(shared_clock, "_ahead", timedelta(seconds=-seconds))
    fail(taken, failing("upstream_busy", retry_after=60))
    assert 30 < bench_seconds(stored_key("a")) < 62
    with pytest.raises(Unavailable) as caught:
        take(provider_id)
    assert 30 <= (caught.value.retry_after or 0) <= 62


@pytest.mark.parametrize("hours", [1, -1])
def test_a_jump_of_the_instances_clock_moves_nothing(
    provider_id: str, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    keep_key(provider_id, "a")
    shared_clock.learn(utc_now())
    taken, asked = take(provider_id), utc_now()
    with monkeypatch.context() as patched:
        patched.setattr(shared_clock, "utc_now", lambda: utc_now() + timedelta(hours=hours))
        assert abs(shared_clock.shared() - utc_now()) < timedelta(minutes=1)
        fail(taken, failing("upstream_busy", retry_after=60), asked)
    assert 30 < bench_seconds(stored_key("a")) < 62
