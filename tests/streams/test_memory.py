"""The log of a run: no gap, no repeat, for any number of readers at any place."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.streams import keeper, memory
from flask_app.streams.keeper import HEARTBEAT, Keeper
from flask_app.streams.memory import MemoryBroker, MemoryLog
from tests.support.brokers import wait_until
from tests.support.outlets import FickleOutlet


def frames(block: bytes) -> list[bytes]:
    return [frame for frame in block.split(b"\n\n") if frame and not frame.startswith(b":")]


def filled(count: int) -> MemoryLog:
    log = MemoryLog()
    for number in range(count):
        log.append("token", b'{"text":"%d"}' % number)
    log.finish()
    return log


@given(st.integers(0, 30), st.integers(0, 40))
def test_a_reader_gets_exactly_what_follows_its_last_event(count: int, after: int) -> None:
    got = frames(b"".join(filled(count).read(after)))
    assert [frame.split(b"\n")[0] for frame in got] == [b"id: %d" % n for n in range(after + 1, count + 1)]


def test_readers_follow_while_it_is_written() -> None:
    log, seen = MemoryLog(), [[], [], []]  # type: ignore[var-annotated]

    def follow(place: int) -> None:
        for block in log.read(place):
            seen[place] += frames(block)

    readers = [threading.Thread(target=follow, args=(place,)) for place in range(3)]
    for reader in readers:
        reader.start()
    for number in range(200):
        log.append("token", b"%d" % number)
        if number % 20 == 0:
            time.sleep(0.001)
    log.finish()
    for reader in readers:
        reader.join(30)
    assert [len(got) for got in seen] == [200, 199, 198]
    assert seen[0] == frames(b"".join(log.read()))


def test_what_comes_together_is_fed_in_one_piece_and_numbered_one_by_one() -> None:
    log, outlet = MemoryLog(), FickleOutlet([])
    reader = threading.Thread(target=lambda: list(log.read(0, outlet)))
    reader.start()
    wait_until(lambda: bool(log._sleepers))
    with log.together():
        for number in range(3):
            log.append("token", b"%d" % number)
        assert outlet.taken == []
    log.append("token", b"3")
    with log.together():
        pass
    log.finish()
    reader.join(30)
    assert [len(frames(piece)) for piece in outlet.taken] == [3, 1]
    assert frames(b"".join(outlet.taken)) == frames(b"".join(log.read()))


def test_a_reader_that_has_not_all_before_is_woken_for_what_comes_together() -> None:
    log, outlet = MemoryLog(), FickleOutlet([0])
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.extend(log.read(0, outlet)))
    reader.start()
    wait_until(lambda: bool(log._sleepers))
    with log.together():
        log.append("token", b"1")
        log.append("token", b"2")
    wait_until(lambda: len(got) == 1)
    log.finish()
    reader.join(30)
    assert (len(frames(got[0])), outlet.taken) == (2, [])


def test_silence_is_bridged_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keeper.HEARTBEAT_SECONDS <= 15, "what stands between gives a silent stream up"
    monkeypatch.setattr(keeper, "HEARTBEAT_SECONDS", 0.02)
    assert next(iter(MemoryBroker().open("silent").read())) == HEARTBEAT


def test_a_reader_sleeps_until_something_happens() -> None:
    log = MemoryLog()
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.extend(log.read()))
    reader.start()
    time.sleep(0.1)
    assert seen == []
    log.finish()
    reader.join(30)
    assert seen == []


def test_a_log_knows_since_when_nobody_reads() -> None:
    def unread_since() -> float | None:
        return log.unread_since

    log, began = MemoryLog(), time.monotonic()
    log.append("start", b"{}")
    assert (unread_since() or began + 1) <= began
    first, second = log.read(), log.read()
    next(first)
    next(second)
    assert unread_since() is None
    first.close()  # type: ignore[attr-defined]
    assert unread_since() is None, "one of them still reads"
    left = time.monotonic()
    second.close()  # type: ignore[attr-defined]
    assert (unread_since() or 0) >= left


def test_numbers_can_go_on_from_an_earlier_log() -> None:
    log = MemoryLog(numbered_from=7)
    log.append("start", b"{}")
    log.finish()
    assert frames(b"".join(log.read(7)))[0].startswith(b"id: 8\n")


def test_an_ended_log_expires_and_a_live_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker()
    ended, live = broker.open("ended"), broker.open("live")
    ended.finish()
    monkeypatch.setattr(keeper, "KEPT_SECONDS", -1)
    broker.beat()
    assert broker.find("ended") is None
    assert broker.find("live") is live


def test_a_log_that_is_forgotten_meanwhile_ends_no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(MemoryLog):
        def wake(self) -> None:
            broker.forget(["ended"])

    broker = Keeper(Forgetful)
    broker.open("ended").finish()
    monkeypatch.setattr(keeper, "KEPT_SECONDS", -1)
    broker.beat()
    assert broker.find("ended") is None


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(0, 20))
def test_what_an_outlet_takes_and_what_is_read_make_the_whole(moods: list[int], after: int) -> None:
    log, outlet = MemoryLog(), FickleOutlet(moods)
    got: list[bytes] = []

    def follow() -> None:
        for block in log.read(after, outlet):
            got.extend(frames(b"".join(outlet.taken)))
            outlet.taken.clear()
            outlet.is_clogged = False
            got.extend(frames(block))

    reader = threading.Thread(target=follow)
    reader.start()
    for number in range(60):
        log.append("token", b"%d" % number)
        if number % 7 == 0:
            time.sleep(0.0002)
    log.finish()
    reader.join(30)
    got += frames(b"".join(outlet.taken))
    assert [frame.split(b"\n")[0] for frame in got] == [b"id: %d" % n for n in range(after + 1, 61)]


def test_a_reader_that_was_cut_off_in_its_sleep_is_fed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    log, outlet = MemoryLog(), FickleOutlet([])
    log.append("start", b"{}")
    reader = log.read(0, outlet)
    next(reader)

    class Killed(BaseException):
        pass

    def killed(_: object) -> bool:
        raise Killed

    monkeypatch.setattr(memory._Reader, "sleep", killed)
    with pytest.raises(Killed):
        next(reader)
    log.append("token", b"{}")
    assert outlet.taken == []


def test_the_last_events_are_read_in_one_piece() -> None:
    log, outlet = MemoryLog(), FickleOutlet([])
    log.append("start", b"{}")
    reader = log.read(0, outlet)
    next(reader)
    blocks: list[bytes] = []
    follower = threading.Thread(target=lambda: blocks.extend(reader))
    follower.start()
    while not log._sleepers:
        time.sleep(0.001)
    log.append("token", b"{}")
    log.finish([("usage", b"{}"), ("done", b"{}")])
    follower.join(30)
    assert [frame.split(b"\n")[0] for frame in outlet.taken] == [b"id: 2"]
    assert [[frame.split(b"\n")[0] for frame in frames(block)] for block in blocks] == [[b"id: 3", b"id: 4"]]
