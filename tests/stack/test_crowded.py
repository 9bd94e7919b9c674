"""More connections than nginx has: what it takes of memory meanwhile, and whether anybody else comes in."""

import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from bench.proc import pss_megabytes
from tests.stack.site import Stack

CONNECTIONS = 2 * 768
LIMIT, FILES = 128, 48 + 20  # MB, as docker-compose.yml has them: of the container, and what files may take of it
BEGUN = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000\r\n\r\n" + 7999 * b"x"


def says_nothing(_: ssl.SSLSocket) -> None:
    pass


def sends_nearly_all(line: ssl.SSLSocket) -> None:
    line.sendall(BEGUN)


@pytest.mark.security("slow-clients")
@pytest.mark.parametrize(("does", "count"), [(says_nothing, CONNECTIONS + 500), (sends_nearly_all, 990)])
def test_connections_of_one_stranger_take_a_bounded_part_of_memory(
    stack: Stack, does: Callable[[ssl.SSLSocket], None], count: int
) -> None:
    """Those that wait for a request make room for who comes after them."""
    with ExitStack() as lines:
        for _ in range(count):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", stack.front.tls_port)))
            does(lines.enter_context(stack.front.trusting.wrap_socket(line, server_hostname="localhost")))
        assert stack.visitor().get("/login").status == 200
        took = pss_megabytes(stack.front.pid)
    assert took < LIMIT - FILES
