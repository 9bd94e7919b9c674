"""Probes: the one request that learns whether a bench is over, and what becomes of its right."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from flask_app import config
from flask_app.database import in_writing, utc_now
from flask_app.errors import Unavailable
from flask_app.services.completion import cooldown_service
from tests.support.benches import answered, bench_seconds, fail, failing, is_over, take, take_spare
from tests.support.keys import change_key, keep_key, stored_key


def test_after_the_bench_one_request_probes_and_its_success_ends_it(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_busy", retry_after=40))
    is_over("a")
    asked = utc_now()
    probe = take(provider_id)
    assert probe.claimed
    with pytest.raises(Unavailable, match="upstream_resting"):
        take(provider_id)
    cooldown_service.note_opened(probe, asked)
    assert take(provider_id).claimed is None, "the provider lets requests in again: everybody may ask"
    assert stored_key("a").strikes == 1, "but nothing has been answered yet"
    answered(probe, asked)
    key = stored_key("a")
    assert (key.strikes, key.last_error_code, key.benched_since, key.last_used_at) == (0, None, None, asked)


def test_a_probe_that_fails_doubles_the_bench_and_keeps_its_beginning(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_failed"))
    first = stored_key("a")
    is_over("a")
    failed = utc_now()
    fail(take(provider_id), failing("upstream_failed"))
    key = stored_key("a")
    assert (key.strikes, key.benched_since) == (2, first.benched_since)
    assert key.benched_until
    assert failed + timedelta(seconds=3.9) < key.benched_until < utc_now() + timedelta(seconds=5.1)


def test_a_probe_without_a_verdict_is_free_for_the_next(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_busy"))
    is_over("a")
    fail(take(provider_id), failing("upstream_rejected"))
    probe = take(provider_id)
    assert probe.claimed
    in_writing(lambda connection: cooldown_service.free(connection, probe))
    assert take(provider_id).claimed


def test_a_probe_whose_process_died_blocks_the_key_for_a_limited_time(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_busy"))
    is_over("a")
    take(provider_id)
    change_key("a", probe_until=utc_now() - timedelta(seconds=1))
    assert take(provider_id).claimed


@pytest.mark.parametrize(("idle", "first_token", "seconds"), [(120, 600, 150), (300, 600, 330), (900, 60, 80)])
def test_a_probe_has_the_time_that_a_provider_may_take_to_let_it_in(
    provider_id: str, idle: float, first_token: float, seconds: float
) -> None:
    limits: dict[str, Any] = {"upstream_idle_seconds": idle, "upstream_first_token_seconds": first_token}
    config.install(dataclasses.replace(config.current(), upstream_connect_seconds=10, **limits))
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_busy"))
    is_over("a")
    before = utc_now()
    claimed = take(provider_id).claimed
    assert claimed
    allowed, slack = timedelta(seconds=seconds), timedelta(seconds=0.1)
    assert before + allowed - slack < claimed < utc_now() + allowed + slack


@pytest.mark.parametrize("code", ["upstream_key_refused", "upstream_no_balance"])
def test_where_nobody_else_can_answer_a_refused_key_is_probed_every_ten_seconds(provider_id: str, code: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing(code))
    probe = take(provider_id)
    assert probe.claimed, "it may have been topped up at once"
    fail(probe, failing(code))
    with pytest.raises(Unavailable) as caught:
        take(provider_id)
    assert caught.value.code == code
    assert 4 < (caught.value.retry_after or 0) <= 10
    change_key("a", probe_until=utc_now())
    assert take(provider_id).claimed
    assert bench_seconds(stored_key("a")) > 500, "the bench itself went on and doubled"


def test_what_nobody_waits_for_probes_no_key(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take_spare(provider_id), failing("upstream_no_balance"))
    for _ in ("benched, which may be probed early", "half-open"):
        with pytest.raises(Unavailable) as caught:
            take_spare(provider_id)
        assert caught.value.code == "upstream_no_balance"
        is_over("a")
    assert take(provider_id).claimed, "the right is there for an answer"
    keep_key(provider_id, "b")
    assert take_spare(provider_id).key.id == "b"


def test_a_key_that_is_not_benched_is_preferred_to_a_probe(provider_id: str) -> None:
    for name in "ab":
        keep_key(provider_id, name)
    fail(take(provider_id), failing("upstream_no_balance"))
    assert [take(provider_id).key.id for _ in range(3)] == ["b", "b", "b"]


def test_an_answer_that_breaks_beside_a_probe_does_not_keep_the_bench_up(provider_id: str) -> None:
    keep_key(provider_id, "a")
    old, old_asked = take(provider_id), utc_now()
    fail(take(provider_id), failing("upstream_busy"))
    is_over("a")
    asked = utc_now()
    probe = take(provider_id)
    answered(old, old_asked, failing("upstream_cut"))
    cooldown_service.note_opened(probe, asked)
    answered(probe, asked)
    assert stored_key("a").benched_until is None
    assert take(provider_id).claimed is None


def test_a_probe_that_met_what_was_known_gives_its_right_back(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_no_balance"))
    asked = utc_now() - timedelta(seconds=1)
    slow = take(provider_id)
    assert slow.claimed
    change_key("a", last_error_at=utc_now(), benched_until=utc_now() + timedelta(seconds=3000))
    fail(slow, failing("upstream_no_balance"), asked)
    assert stored_key("a").probe_until is None
    assert take(provider_id).claimed
