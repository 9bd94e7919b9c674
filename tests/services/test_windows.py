"""Moving windows: how often, in how long, and what is forgotten."""

import threading

import pytest

from flask_app.domain.seen import Seen
from flask_app.services.site import windows
from flask_app.services.site.windows import Rate, Windows


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5 per minute", Rate(5, 60)),
        ("20 per 5 minutes", Rate(20, 300)),
        ("100/hour", Rate(100, 3600)),
        ("1 per 2 Days", Rate(1, 172_800)),
        (" 10 per second ", Rate(10, 1)),
    ],
)
def test_a_rate_is_read_as_people_write_it(text: str, rate: Rate) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text", ["", "5", "five per minute", "0 per minute", "5 per 0 minutes", "-1/hour", "5 per year"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="5 per minute"):
        Rate.parse(text)


class Clock:
    """Stands in for the module `time`."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(windows, "time", made)
    return made


def test_a_full_window_says_how_long_to_wait_and_counts_no_more(clock: Clock) -> None:
    windows = Windows("test", Rate(2, 60))
    assert [windows.hit("a") for _ in range(2)] == [0, 0]
    assert windows.wait("a") == windows.hit("a") == 60
    assert windows.hit("b") == 0, "names are counted apart"


def test_a_window_moves_with_time(clock: Clock) -> None:
    windows = Windows("test", Rate(2, 1))
    windows.hit("a")
    clock.now += 0.6
    windows.hit("a")
    assert windows.wait("a") == 1
    clock.now += 0.5  # the first has left, the second has not
    assert windows.hit("a") == 0
    assert windows.hit("a") == 1


def test_what_is_counted_tells_how_the_window_stands(clock: Clock) -> None:
    windows = Windows("test", Rate(2, 60))
    assert windows.count("a") == Seen(0, 1, 60)
    clock.now += 20.3
    assert windows.count("a") == Seen(0, 2, 60)
    clock.now += 10
    assert windows.count("a") == Seen(30, 2, 50), "it begins to have room before it is empty"
    assert windows.count("a", Rate(5, 60)) == Seen(0, 3, 60)


def test_another_rate_holds_for_what_was_counted_already(clock: Clock) -> None:
    windows = Windows("test", Rate(3, 60))
    assert [windows.hit("a") for _ in range(3)] == [0, 0, 0]
    assert windows.hit("a", Rate(4, 60)) == 0
    assert windows.hit("a", Rate(2, 60)) == 60
    assert windows.hit("a", Rate(2, 3600)) == 3600


def test_looking_does_not_count() -> None:
    windows = Windows("test", Rate(1, 60))
    assert [windows.wait("a") for _ in range(3)] == [0, 0, 0]
    assert windows.hit("a") == 0


def test_hits_at_once_are_counted_exactly() -> None:
    windows = Windows("test", Rate(50, 60))
    passed: list[int] = []

    def hit_often() -> None:
        passed.extend(windows.hit("a") for _ in range(25))

    threads = [threading.Thread(target=hit_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(0) == 50
    assert len(passed) == 200
