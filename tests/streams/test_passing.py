"""The log of an answer to a program: one reader gets all of it, once and in order, and nothing is kept that is out."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.streams.frames import MOST_IN_A_PIECE
from flask_app.streams.keeper import HEARTBEAT, Keeper
from flask_app.streams.passing import PassingLog
from tests.support.brokers import wait_until
from tests.support.outlets import FickleOutlet


def numbered(number: int) -> bytes:
    return b"data: %d\n\n" % number


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def asleep(log: PassingLog, reader: Iterator[bytes]) -> tuple[threading.Thread, list[bytes]]:
    """A thread that follows, once it sleeps, and what it has read."""
    got: list[bytes] = []
    thread = in_thread(lambda: got.extend(reader))
    wait_until(lambda: log._sleeps)
    return thread, got


@given(st.lists(st.integers(0, 2), max_size=60))
def test_what_an_outlet_takes_and_what_is_read_make_the_whole(moods: list[int]) -> None:
    log, outlet = PassingLog(), FickleOutlet(moods)
    got = bytearray()

    def follow() -> None:
        for piece in log.read(outlet):
            got.extend(b"".join(outlet.taken))
            outlet.taken.clear()
            outlet.is_clogged = False
            got.extend(piece.replace(HEARTBEAT, b""))

    reader = in_thread(follow)
    for number in range(60):
        log.add(numbered(number))
        if number % 7 == 0:
            time.sleep(0.0002)
    log.close([numbered(60), numbered(61)])
    reader.join(30)
    got.extend(b"".join(outlet.taken))
    assert bytes(got) == b"".join(map(numbered, range(62)))


def test_without_an_outlet_all_is_read() -> None:
    log = PassingLog()
    log.add(numbered(1))
    thread, got = asleep(log, log.read())
    log.add(numbered(2))
    log.close([numbered(3)])
    thread.join(30)
    assert b"".join(got) == b"".join(map(numbered, (1, 2, 3)))


def add_and_fail(log: PassingLog, frame: bytes) -> None:
    with log.together():
        log.add(frame)
        raise LookupError


def test_what_comes_together_goes_out_in_one_piece() -> None:
    log, outlet = PassingLog(), FickleOutlet([])
    thread, got = asleep(log, log.read(outlet))
    with log.together():
        for number in range(3):
            log.add(numbered(number))
        assert outlet.taken == []
    with log.together():
        pass
    with pytest.raises(LookupError):
        add_and_fail(log, numbered(3))
    assert outlet.taken == [b"".join(map(numbered, range(3))), numbered(3)]
    log.close([numbered(4)])
    thread.join(30)
    assert b"".join(got) == numbered(4)


def test_what_is_out_is_kept_no_longer() -> None:
    log, outlet = PassingLog(), FickleOutlet([])
    log.add(numbered(1))
    thread, got = asleep(log, log.read(outlet))
    log.add(numbered(2))
    assert (got, outlet.taken, bytes(log._waiting)) == ([numbered(1)], [numbered(2)], b"")
    log.close()
    thread.join(30)


def test_the_last_events_are_read_in_one_piece() -> None:
    log, outlet = PassingLog(), FickleOutlet([])
    thread, got = asleep(log, log.read(outlet))
    log.add(numbered(1))
    log.close([numbered(2), numbered(3)])
    thread.join(30)
    assert (outlet.taken, got) == ([numbered(1)], [numbered(2) + numbered(3)])


def test_a_reader_that_is_far_behind_gets_pieces_of_a_bounded_size() -> None:
    log, frame = PassingLog(), b"x" * 1000
    for _ in range(200):
        log.add(frame)
    log.close()
    pieces = list(log.read())
    assert b"".join(pieces) == frame * 200
    assert max(map(len, pieces)) == MOST_IN_A_PIECE


def test_silence_is_bridged_by_comments() -> None:
    logs = Keeper(PassingLog)
    log = logs.open("silent")
    thread, got = asleep(log, log.read(FickleOutlet([])))
    logs.beat()
    wait_until(lambda: got == [HEARTBEAT])
    log.close()
    thread.join(30)
    assert got == [HEARTBEAT]


def test_an_answer_that_ends_without_a_word_ends_its_reader() -> None:
    log = PassingLog()
    thread, got = asleep(log, log.read())
    log.close()
    thread.join(30)
    assert (thread.is_alive(), got, list(log.read())) == (False, [], [])


def test_a_reader_is_not_woken_for_an_end_before_it_is_there() -> None:
    class Watched(PassingLog):
        def wake(self) -> None:
            ended.append(self.ended_at is not None)
            super().wake()

    ended: list[bool] = []
    log = Watched()
    thread, got = asleep(log, log.read())
    log.close()
    thread.join(30)
    assert (ended, got) == ([True], [])


def test_for_a_reader_that_has_left_nothing_is_kept() -> None:
    log, outlet = PassingLog(), FickleOutlet([])
    log.add(numbered(1))
    reader = log.read(outlet)
    assert next(reader) == numbered(1)
    reader.close()  # type: ignore[attr-defined]
    log.add(numbered(2))
    assert (outlet.taken, bytes(log._waiting)) == ([], b"")


def test_a_reader_that_is_cut_off_in_its_sleep_is_fed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(_: object) -> bool:
        log._sleeps = True  # as it lies down
        raise Killed

    log, outlet = PassingLog(), FickleOutlet([])
    log.add(numbered(1))
    reader = log.read(outlet)
    next(reader)
    monkeypatch.setattr(PassingLog, "_sleep", killed)
    with pytest.raises(Killed):
        next(reader)
    log.add(numbered(2))
    assert (outlet.taken, bytes(log._waiting)) == ([], b"")
