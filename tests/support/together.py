"""Several acts begun in the same moment."""

import threading
from collections.abc import Callable


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """Each act on a thread of its own, begun together; what they return or raise."""
    outcomes: list[object] = [None] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            outcomes[number] = act(number)
        except Exception as error:  # noqa: BLE001 - the outcome under test
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
