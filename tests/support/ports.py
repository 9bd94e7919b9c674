"""Ports of this machine."""

import os
import secrets
import socket
from collections import deque
from contextlib import suppress

OURS = range(10_000, 32_768)  # below those that the system gives to whoever names none
PROCESSES = 16  # of tests beside each other, at most
_own = OURS[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES :: PROCESSES]
_given: deque[int] = deque(maxlen=len(_own) // 4)


def free_port() -> int:
    """One that only a program that names it takes meanwhile: the server that gets it may be slow to start.

    No other process of tests is given it, and this one not for long.
    """
    while True:
        port = secrets.choice(_own)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.append(port)
                return port


def is_open(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
