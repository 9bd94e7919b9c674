"""Requests that nginx and the server behind it could read in two ways: the next visitor gets their own reply."""

import socket

import pytest

from tests.stack.site import Stack
from tests.support import smuggled

NEXT = 6  # as many as share the connections to the instances


@pytest.mark.security("smuggling")
@pytest.mark.parametrize("name", smuggled.AMBIGUOUS)
def test_nothing_is_smuggled_through_nginx(stack: Stack, name: str) -> None:
    host = f"localhost:{stack.front.tls_port}"
    with (
        socket.create_connection(("127.0.0.1", stack.front.tls_port)) as line,
        stack.front.trusting.wrap_socket(line, server_hostname="localhost") as opened,
    ):
        smuggled.said(opened, smuggled.request(name, host))
    for _ in range(NEXT):
        reply = stack.visitor().get("/login")
        assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
