"""Ports of this machine."""

import secrets
import socket
from contextlib import suppress

OURS = range(10_000, 32_768)  # below those that the system gives to whoever names none


def free_port() -> int:
    """One that only a program that names it takes meanwhile: the server that gets it may be slow to start."""
    while True:
        port = secrets.choice(OURS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def is_open(port: int) -> bool:
    """Does somebody listen there?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
