"""Connections to providers that are kept for their next request."""

import threading
import time
from collections import defaultdict

from flask_app.upstream.connection import Connection, Origin

IDLE_FOR_SECONDS = 15  # shorter than providers keep an idle connection: none is found closed at the next request
MAX_IDLE = 256  # of one origin


class Idle:
    """Connections that wait for their next request, the last used first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: defaultdict[Origin, list[Connection]] = defaultdict(list)

    def take(self, origin: Origin) -> Connection | None:
        """A connection to `origin` that is open; None when there is none."""
        while True:
            with self._lock:
                waiting = self._waiting[origin]
                if not waiting:
                    return None
                connection = waiting.pop()
            if time.monotonic() - connection.idle_since < IDLE_FOR_SECONDS and connection.is_silent():
                connection.is_used = False
                return connection
            connection.close()

    def give(self, connection: Connection) -> None:
        """Keep the connection, whose response has been read to its end, or close it."""
        connection.idle_since = now = time.monotonic()
        with self._lock:
            waiting = self._waiting[connection.origin]
            waiting.append(connection)
            keep = next((n for n, each in enumerate(waiting) if now - each.idle_since < IDLE_FOR_SECONDS), 0)
            keep = max(keep, len(waiting) - MAX_IDLE)
            dropped, waiting[:] = waiting[:keep], waiting[keep:]
        for each in dropped:
            each.close()

    def close(self) -> None:
        """Keep none of them any longer."""
        with self._lock:
            waiting = [each for origin in self._waiting.values() for each in origin]
            self._waiting.clear()
        for each in waiting:
            each.close()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(waiting) for waiting in self._waiting.values())
