"""HTTP/2 with its frames made by hand: it says what no client of good will would say.

Header fields go as they are, by HPACK's literals without an index (RFC 7541, 6.2.2); frames are those of RFC 9113, 6.
"""

import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, GO_AWAY = 0, 1, 3, 4, 7
NONE, END_STREAM, END_HEADERS, PADDED = 0, 1, 4, 8
SILENCE_SECONDS = 3
FRAME_HEAD = 9  # bytes
STREAM = 1
# What stands for a whole field of a reply (RFC 7541, appendix A).
_STATUSES = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
_NAMED_STATUS = {0x08, 0x48}
_LONGEST_IN_A_BYTE = 126

Field = tuple[str, str]


@dataclass
class Heard:
    """The reply, or how the other side gave the request up."""

    status: int | None = None
    body: bytes = b""
    gave_up: str = ""


def frame(kind: int, flags: int, payload: bytes, stream: int = STREAM) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(fields: Sequence[Field], *, flags: int = END_HEADERS) -> bytes:
    block = b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)
    return frame(HEADERS, flags, block)


def ask(line: socket.socket, *frames: bytes) -> Heard:
    """Send that as all that a connection is for, and hear it out."""
    line.settimeout(SILENCE_SECONDS)
    line.sendall(PREFACE + frame(SETTINGS, NONE, b"", 0) + b"".join(frames))
    heard = Heard(gave_up="silent")
    for kind, flags, stream, payload in _frames(line):
        if kind in {RESET, GO_AWAY}:
            heard.gave_up = "reset" if kind == RESET else "gone"
        elif stream == STREAM and kind in {DATA, HEADERS}:
            heard.status = heard.status or _status(payload)
            heard.body += payload if kind == DATA else b""
            if flags & END_STREAM:
                heard.gave_up = ""
                break
    return heard


def _string(text: str) -> bytes:
    raw = text.encode("latin-1")
    if len(raw) <= _LONGEST_IN_A_BYTE:
        return bytes([len(raw)]) + raw
    length, more = bytes([0x7F]), len(raw) - 0x7F
    while more >= 0x80:
        length += bytes([more % 0x80 + 0x80])
        more //= 0x80
    return length + bytes([more]) + raw


def _status(block: bytes) -> int:
    """It comes first, after a word about a table that nobody keeps here."""
    first, rest = block[0], block[1:]
    while first & 0xE0 == 0x20:
        first, rest = rest[0], rest[1:]
    if first in _STATUSES:
        return _STATUSES[first]
    assert first in _NAMED_STATUS, block
    assert rest[0] == len("200"), block
    return int(rest[1:4])


def _frames(line: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """Until the other side hangs up, or is silent for a while."""
    while head := _exactly(line, FRAME_HEAD):
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        yield kind, flags, stream, _exactly(line, int.from_bytes(head[:3]))


def _exactly(line: socket.socket, count: int) -> bytes:
    """Nothing where that does not come."""
    got = b""
    while len(got) < count:
        try:
            piece = line.recv(count - len(got))
        except (TimeoutError, ConnectionResetError):
            piece = b""
        if not piece:
            return b""
        got += piece
    return got
