"""Deadlines of streams: which passes when, told by a clock of the test's own."""

import time

import pytest

from flask_app.upstream import deadlines
from flask_app.upstream.deadlines import Limits

LIMITS = Limits(first_token=60, idle=20, total=100)


class Clock:
    """Stands in for the module `time`."""

    now = 1000.0
    sleep = staticmethod(time.sleep)

    def monotonic(self) -> float:
        return self.now


class Stream:
    bytes_received = 0
    begun = False
    expired = False

    def expire(self) -> None:
        self.expired = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(deadlines, "time", made)
    return made


def played(clock: Clock, stream: Stream, *, seconds: int, bytes_a_second: int) -> float:
    """After how many seconds the stream was ended."""
    began = clock.now
    deadlines.watch(stream, LIMITS)
    while clock.now < began + seconds and not stream.expired:
        clock.now += 1
        stream.bytes_received += bytes_a_second
        deadlines.look()
    deadlines.forget(stream)
    return clock.now - began


def test_silence_ends_at_the_idle_limit(clock: Clock) -> None:
    assert played(clock, Stream(), seconds=200, bytes_a_second=0) == 21


def test_comments_do_not_put_off_the_first_token(clock: Clock) -> None:
    assert played(clock, Stream(), seconds=200, bytes_a_second=13) == 61


def test_an_answer_that_goes_on_ends_at_the_total(clock: Clock) -> None:
    stream = Stream()
    stream.begun = True
    assert played(clock, stream, seconds=200, bytes_a_second=300) == 101


def test_what_is_forgotten_is_left_alone(clock: Clock) -> None:
    stream = Stream()
    deadlines.watch(stream, LIMITS)
    deadlines.forget(stream)
    clock.now += 1000
    deadlines.look()
    assert not stream.expired


def test_time_in_which_nobody_could_look_does_not_count(clock: Clock) -> None:
    stream = Stream()
    deadlines.watch(stream, LIMITS)
    clock.now += 500
    deadlines.forgive(490)
    deadlines.look()
    assert not stream.expired
    clock.now += 11
    deadlines.look()
    deadlines.forget(stream)
    assert stream.expired


def test_one_that_cannot_be_ended_does_not_keep_the_others_going(clock: Clock) -> None:
    class Broken(Stream):
        def expire(self) -> None:
            raise ValueError("a fault")

    broken, other = Broken(), Stream()
    deadlines.watch(broken, LIMITS)
    played(clock, other, seconds=200, bytes_a_second=0)
    deadlines.forget(broken)
    assert other.expired
