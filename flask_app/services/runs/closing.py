"""The end of this process, in two steps, so that nothing is begun that could not be finished.

First it leaves: who reads another process's answer here is let go, and comes back to a process that stays. At the last
it is closed: its own answers are being ended, and none is begun any more.
"""

from flask_app.errors import Unavailable
from flask_app.streams import broker

_is_leaving = _is_closed = False


def leave() -> None:
    global _is_leaving
    _is_leaving = True
    broker().let_go()


def close() -> None:
    global _is_closed
    _is_closed = True


def is_leaving() -> bool:
    return _is_leaving


def is_closed() -> bool:
    return _is_closed


def check_open() -> None:
    """Raises Unavailable("restarting") once this process is closed."""
    if _is_closed:
        raise Unavailable("restarting", retry_after=2)
