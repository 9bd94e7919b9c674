"""Where hosts are, asked of the network's resolver, which may be silent for long and cannot be interrupted.

Nobody waits for it longer than they may: it is asked on a thread of its own, once for all who want the same host at the
same time, so that one silent name server takes one thread. A server with an event loop says how to ask from a real
thread (see gunicorn.conf.py); the application never knows which one.
"""

import socket
import threading
from collections.abc import Callable
from typing import Any

AT_ONCE = 8  # hosts that a server with an event loop has looked up at a time: providers are few

Found = list[tuple[Any, ...]]  # as `socket.getaddrinfo` gives them
Ask = Callable[[str, int], Found]


def look_up(host: str, port: int, *, seconds: float, woken: threading.Event) -> Found:
    """Where `host` is now. Waits for so many seconds at most, or until somebody else sets `woken`.

    Raises OSError: no such host, no answer within that time, or `woken`.
    """
    with _lock:
        question = _asked.get((host, port)) or _begin(host, port)
        question.waiting.append(woken)
    woken.wait(seconds)
    with _lock:
        question.waiting.remove(woken)
    if question.failure:
        raise OSError(f"{host} has no address") from question.failure
    if question.found is None:
        raise TimeoutError(f"no address for {host} within {seconds:g} seconds")
    return question.found


def ask_with(ask: Ask) -> None:
    """From now on ask that way."""
    global _ask
    _ask = ask


def ask_directly(host: str, port: int) -> Found:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _Question:
    """What is being asked, and who waits for the answer."""

    def __init__(self) -> None:
        self.waiting: list[threading.Event] = []
        self.found: Found | None = None
        self.failure: Exception | None = None


def _begin(host: str, port: int) -> _Question:
    question = _Question()
    threading.Thread(target=_answer, args=[question, host, port], name="names", daemon=True).start()
    _asked[host, port] = question
    return question


def _answer(question: _Question, host: str, port: int) -> None:
    try:
        question.found = _ask(host, port)
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        question.failure = error
    with _lock:
        del _asked[host, port]
        for woken in question.waiting:
            woken.set()


_ask: Ask = ask_directly
_asked: dict[tuple[str, int], _Question] = {}
_lock = threading.Lock()
