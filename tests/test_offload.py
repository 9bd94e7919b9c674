"""Heavy work: same results wherever it runs, and never more than two pieces at once."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from flask_app import offload
from tests.support.brokers import PATIENCE


@pytest.fixture(autouse=True)
def _leave_no_trace() -> Iterator[None]:
    yield
    offload.use(offload.call_directly)


def test_returns_what_the_work_returns() -> None:
    assert offload.run(divmod, 7, 2) == (3, 1)
    assert offload.run(sorted, [1, 2], reverse=True) == [2, 1]


def test_raises_what_the_work_raises_and_frees_its_slot() -> None:
    for _ in range(offload.MOST_AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError):
            offload.run(divmod, 1, 0)


def test_a_server_may_hand_in_its_own_way_into_threads() -> None:
    seen: list[tuple[Any, ...]] = []

    def apply(work: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        seen.append((work, args, kwargs))
        return work(*args, **kwargs)

    offload.use(apply)
    assert offload.run(sorted, [1, 2], reverse=True) == [2, 1]
    assert seen == [(sorted, ([1, 2],), {"reverse": True})]


@pytest.mark.security("hashing-aside")
def test_caps_how_many_run_at_once() -> None:
    lock, running, most = threading.Lock(), 0, 0
    others = threading.Barrier(offload.MOST_AT_ONCE)

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        others.wait(PATIENCE)
        time.sleep(0.02)
        with lock:
            running -= 1

    threads = [threading.Thread(target=offload.run, args=(work,)) for _ in range(4 * offload.MOST_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == offload.MOST_AT_ONCE


@pytest.mark.security("hashing-aside")
def test_a_file_that_is_drawn_takes_no_slot_of_the_passwords() -> None:
    drawing, drawn = threading.Event(), threading.Event()

    def draw() -> None:
        drawing.set()
        assert drawn.wait(PATIENCE)

    workers = [threading.Thread(target=offload.run_for_file, args=(draw,)) for _ in range(offload.MOST_AT_ONCE + 1)]
    for worker in workers:
        worker.start()
    assert drawing.wait(PATIENCE)
    hashed = threading.Thread(target=offload.run, args=(divmod, 7, 2))
    hashed.start()
    hashed.join(PATIENCE)
    assert not hashed.is_alive()
    drawn.set()
    for worker in workers:
        worker.join(PATIENCE)
