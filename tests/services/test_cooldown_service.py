"""Benches in the database: who may be asked, and what ends it."""

import math
from datetime import timedelta

import pytest

from flask_app.database import in_writing, utc_now, writing
from flask_app.domain.serving import LOCAL
from flask_app.errors import Unavailable, UpstreamError
from flask_app.services.completion import cooldown_service
from flask_app.services.ledger import shared_clock
from flask_app.services.providers.key_service import Candidate, UsableKey
from tests.support import storage
from tests.support.benches import answered, bench_seconds, candidates, fail, failing, take
from tests.support.keys import change_key, keep_key, keep_provider, served, stored_key

SOON = timedelta(minutes=5)


def test_a_failure_benches_the_key_and_says_why(provider_id: str) -> None:
    for name in "ab":
        keep_key(provider_id, name)
    fail(take(provider_id), failing("upstream_key_refused", status=401, detail="no such key"))
    key = stored_key("a")
    assert (key.bench_code, key.strikes, key.last_error_code) == ("upstream_key_refused", 1, "upstream_key_refused")
    assert key.last_error_detail == "no such key"
    assert key.benched_since
    assert 290 < bench_seconds(key) < 380
    assert take(provider_id).key.id == "b"


def test_a_wrong_request_benches_nobody_and_is_noted_on_nobody(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_rejected"))
    assert (stored_key("a").benched_until, stored_key("a").last_error_code) == (None, None)


@pytest.mark.parametrize(
    ("code", "together"),
    [
        ("upstream_busy", True),
        ("upstream_no_balance", True),
        ("upstream_key_refused", False),
        ("upstream_failed", False),
    ],
)
def test_what_concerns_an_account_benches_all_its_keys(provider_id: str, code: str, together: bool) -> None:
    for name in "ab":
        keep_key(provider_id, name, account="ours")
    keep_key(provider_id, "c")
    elsewhere = keep_key(keep_provider("Other", "https://other.example.com"), "d", account="ours")
    fail(take(provider_id), failing(code))
    assert (stored_key("b").benched_until is not None) is together
    assert stored_key("b").benched_until == (stored_key("a").benched_until if together else None)
    assert stored_key("c").benched_until is None
    assert stored_key(elsewhere).benched_until is None
    assert take(provider_id).key.id == ("c" if together else "b")


def test_an_accounts_bench_does_not_shorten_a_longer_one_of_a_key(provider_id: str) -> None:
    until = utc_now() + timedelta(hours=1)
    keep_key(provider_id, "a", account="ours")
    keep_key(provider_id, "b", account="ours", benched_until=until, bench_code="upstream_key_refused")
    fail(take(provider_id), failing("upstream_busy"))
    assert (stored_key("b").benched_until, stored_key("b").bench_code) == (until, "upstream_key_refused")


def test_retry_after_is_kept_to_the_second_and_nobody_asks_before(provider_id: str) -> None:
    keep_key(provider_id, "a")
    failed = utc_now()
    fail(take(provider_id), failing("upstream_busy", retry_after=40))
    until = stored_key("a").benched_until
    assert until
    assert failed + timedelta(seconds=39.9) < until < utc_now() + timedelta(seconds=40.1)
    with pytest.raises(Unavailable) as caught:
        take(provider_id)
    told = caught.value.retry_after
    assert (caught.value.code, caught.value.params) == ("upstream_resting", {"seconds": told})
    assert told in range(math.ceil(bench_seconds(stored_key("a"))), 41)


def test_when_everybody_is_benched_the_soonest_return_is_told(provider_id: str) -> None:
    for name in "abc":
        keep_key(provider_id, name)
    for seconds in (900, 20, 500):
        fail(take(provider_id), failing("upstream_busy", retry_after=seconds))
    with pytest.raises(Unavailable) as caught:
        take(provider_id)
    assert caught.value.retry_after in range(1, 21)


def test_an_instance_whose_clock_is_ahead_benches_a_key_for_no_longer(
    provider_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_clock, "_ahead", timedelta())  # to be put back
    monkeypatch.setattr(shared_clock, "_BEGAN", shared_clock._BEGAN + timedelta(minutes=10))
    keep_key(provider_id, "a")
    database_now = shared_clock.learn(utc_now())
    fail(take(provider_id), failing("upstream_busy"))
    until = stored_key("a").benched_until
    assert until
    assert timedelta(seconds=4) < until - database_now < timedelta(minutes=1)
    with pytest.raises(Unavailable) as refused:
        take(provider_id)
    assert refused.value.retry_after in range(1, 10)
    change_key("a", benched_until=database_now - timedelta(seconds=1), probe_until=None)
    probe = take(provider_id)
    assert probe.claimed
    cooldown_service.note_opened(probe, utc_now())
    assert stored_key("a").benched_until is None


def test_an_answer_ends_the_bench_of_a_clock_that_is_an_hour_ahead(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_failed"))
    ahead = utc_now() + timedelta(hours=1)
    change_key("a", last_error_at=ahead, benched_until=ahead, probe_until=None)
    probe, asked = take(provider_id), utc_now()
    assert probe.claimed
    cooldown_service.note_opened(probe, asked)
    assert take(provider_id).claimed is None
    answered(probe, asked)
    assert (stored_key("a").strikes, stored_key("a").last_error_code) == (0, None)


def test_requests_that_failed_together_are_one_strike(provider_id: str) -> None:
    keep_key(provider_id, "a")
    asked, taken = utc_now(), [take(provider_id) for _ in range(5)]
    for one in taken:
        fail(one, failing("upstream_failed"), asked)
    assert stored_key("a").strikes == 1


def test_an_answer_that_was_asked_for_before_the_bench_does_not_end_it(provider_id: str) -> None:
    keep_key(provider_id, "a", last_error_at=utc_now() - SOON, last_error_code="upstream_failed")
    asked, early = utc_now(), take(provider_id)
    fail(take(provider_id), failing("upstream_busy", retry_after=60))
    answered(early, asked)
    assert stored_key("a").benched_until
    assert stored_key("a").last_used_at == asked


def test_last_used_is_written_once_a_minute(provider_id: str) -> None:
    keep_key(provider_id, "a")
    taken, first = take(provider_id), utc_now()
    for seconds, shown in ((0, 0), (30, 0), (90, 90)):
        moment = first + timedelta(seconds=seconds)
        answered(taken, moment)
        assert stored_key("a").last_used_at == first + timedelta(seconds=shown)


def test_nothing_is_noted_of_this_machines_own_model(provider_id: str) -> None:
    key = UsableKey(id=None, base_url="http://127.0.0.1:1", secret="")
    with writing() as connection:
        taken = cooldown_service.take(connection, [Candidate(key, served(provider_id, kind=LOCAL))])
    with storage.counted_statements() as statements:
        answered(taken, utc_now())
    assert [statement for statement in statements if statement != "COMMIT"] == []


def test_a_test_by_hand_ends_the_bench_of_the_account(provider_id: str) -> None:
    for name in "ab":
        keep_key(provider_id, name, account="ours")
    fail(take(provider_id), failing("upstream_no_balance"))
    cooldown_service.note_accepted(candidates(provider_id)[1].key, utc_now())
    assert [stored_key(name).benched_until for name in "ab"] == [None, None]
    assert [stored_key(name).strikes for name in "ab"] == [0, 0]


def test_a_test_by_hand_does_not_hurry_a_busy_account(provider_id: str) -> None:
    keep_key(provider_id, "a")
    fail(take(provider_id), failing("upstream_busy", retry_after=600))
    cooldown_service.note_accepted(candidates(provider_id)[0].key, utc_now())
    assert bench_seconds(stored_key("a")) > 590


def test_what_a_question_of_our_own_met_is_noted_even_where_it_benches_nobody(provider_id: str) -> None:
    keep_key(provider_id, "a")
    key = candidates(provider_id)[0].key
    cooldown_service.note_refused(key, UpstreamError("upstream_garbage", status=302), utc_now())
    assert (stored_key("a").last_error_code, stored_key("a").benched_until) == ("upstream_garbage", None)


def test_a_key_that_was_switched_off_meanwhile_is_not_asked(provider_id: str) -> None:
    keep_key(provider_id, "a")
    found = candidates(provider_id)
    change_key("a", disabled=True)
    with pytest.raises(Unavailable, match="no_model"):
        in_writing(lambda connection: cooldown_service.take(connection, found))
