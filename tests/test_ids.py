"""Primary keys: those of one process sort as they were made, and no two are alike."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from flask_app.database import first_id, is_id, moment_of, new_id

NOW = 1_780_000_000_123_456_789  # nanoseconds


def test_those_of_one_millisecond_sort_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: NOW)
    made = [new_id() for _ in range(20_000)]
    assert all(earlier < later for earlier, later in pairwise(made))
    assert all(is_id(one) for one in made)
    assert {moment_of(one) for one in made} <= {moment_of(made[0]), moment_of(made[0]) + timedelta(milliseconds=1)}


def test_a_clock_that_is_set_back_a_little_puts_nothing_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    later, made = NOW + 60_000_000_000, []  # of a minute in which no other test makes any
    for back in (0, 1, 998):  # a step beyond may be of the next millisecond
        monkeypatch.setattr(time, "time_ns", lambda back=back: later - back * 1_000_000)
        made += [new_id() for _ in range(10)]
    assert made == sorted(made)


def test_a_clock_that_was_far_ahead_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    for moment in (NOW + 3_600_000_000_000, NOW):
        monkeypatch.setattr(time, "time_ns", lambda moment=moment: moment)
        assert moment_of(new_id()) == datetime.fromtimestamp(moment // 1_000_000 / 1000, UTC)


def test_each_thread_sees_its_own_in_their_order_and_none_of_another() -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: [new_id() for _ in range(5000)], range(4)))
    assert all(own == sorted(own) for own in made)
    assert len({one for own in made for one in own}) == 4 * 5000


def test_of_another_moment_they_are_of_that() -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789000, UTC)
    made = {new_id(moment) for _ in range(100)}
    assert len(made) == 100
    assert {moment_of(one) for one in made} == {moment}
    assert all(one >= first_id(moment) for one in made)
