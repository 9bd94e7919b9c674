"""Heavy work of the processor (password hashing) and waiting for the disk, kept away from the event loop.

On its own this module calls straight through. A server with an event loop hands it a way into real
operating system threads (see gunicorn.conf.py); the application never knows which one.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

GIVEN_SECONDS = 0.001
MOST_AT_ONCE = 2  # a hash takes 19 MiB and one core: more at once would only starve the answers
OF_THE_STORE = 4  # requests to the store of files: what waits for another machine takes none of the others' places
THREADS = MOST_AT_ONCE + 1 + OF_THE_STORE  # with the one that draws files

Apply = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]

_slots = threading.BoundedSemaphore(MOST_AT_ONCE)
_slot_of_files = threading.BoundedSemaphore(1)
_slots_of_the_store = threading.BoundedSemaphore(OF_THE_STORE)


def run(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the work and return its result; what it raises is raised here. Waits for a free slot."""
    with _slots:
        result: R = _apply(work, args, kwargs)
    return result


def run_for_file(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for a file that somebody takes along, in a slot that all such files share: no sign-in waits for it."""
    with _slot_of_files:
        result: R = _apply(work, args, kwargs)
    return result


def run_for_store(seconds: float, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The same for a request to the store of files. Raises TimeoutError where no slot is free in time."""
    if not _slots_of_the_store.acquire(timeout=seconds):
        raise TimeoutError
    try:
        result: R = _apply(work, args, kwargs)
    finally:
        _slots_of_the_store.release()
    return result


def give_way() -> None:
    """Between two pieces of long work: let others have the processor, and sockets be read.

    A sleep of nothing at all would only let those go on that are ready: gevent looks at no socket meanwhile.
    """
    time.sleep(GIVEN_SECONDS)


def use(apply: Apply) -> None:
    """From now on do the work through ``apply(work, args, kwargs)``."""
    global _apply
    _apply = apply


def call_directly(work: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return work(*args, **kwargs)


_apply: Apply = call_directly
