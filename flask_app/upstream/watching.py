"""What a connection needs of an event loop: somebody who watches its socket."""

from collections.abc import Callable
from typing import Protocol

from flask_app.upstream.turns import Turns


class Watcher(Protocol):
    """Watches a socket from an event loop. `receive` is its `recv`, once the socket has no patience.

    Where its `turns` are taken it looks a good while later the next time.
    """

    receive: Callable[[int], bytes]
    turns: Turns

    def each(self, look: Callable[[], bool]) -> None:
        """Call `look` on the loop whenever there is something to read, be it the end, until it gives False.

        What it raises is raised here.
        """

    def close(self) -> None:
        """Before the socket is closed, when nobody is in `each`."""
