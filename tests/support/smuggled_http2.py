"""Requests of HTTP/2 that could become something else, or two, where they are told on as HTTP/1.1.

There a length is that of its frames, no header is about a connection, and each field ends where its length says: what
is said otherwise is a lie that a server behind might believe.
"""

from collections.abc import Callable, Iterable, Sequence

from tests.support import http2
from tests.support.http2 import DATA, END_HEADERS, END_STREAM, FRAME_HEAD, HEADERS, NONE, PADDED, Field
from tests.support.smuggled import WANTED

_INSIDE = f"GET {WANTED} HTTP/1.1\r\nHost: {{host}}\r\n\r\n"
_PIECES = f"0\r\n\r\n{_INSIDE}"
_LINE = f" HTTP/1.1\r\nHost: {{host}}\r\n\r\nGET {WANTED}"


def _named(*fields: Field) -> Callable[[Sequence[Field]], list[Field]]:
    return lambda usual: [*usual, *fields]


def _instead(name: str, *values: str) -> Callable[[Sequence[Field]], list[Field]]:
    """Of a field: another value, several, or none."""
    return lambda usual: [(name, each) for each in values] + [field for field in usual if field[0] != name]


def _last(usual: Sequence[Field]) -> list[Field]:
    return [*usual[1:], ("x-note", "a"), usual[0]]


# A name → what becomes of the usual fields, and what the body is; a length is `{length}` where it is the body's.
FIELDS: dict[str, tuple[Callable[[Sequence[Field]], Iterable[Field]], str]] = {
    "a length below the data": (_named(("content-length", "0")), _INSIDE),
    "a length above the data": (_named(("content-length", "4000")), "{}"),
    "two lengths": (_named(("content-length", "0"), ("content-length", "{length}")), _INSIDE),
    "two lengths in one": (_named(("content-length", "0, {length}")), _INSIDE),
    "a length with a sign": (_named(("content-length", "+{length}")), _INSIDE),
    "a length below nothing": (_named(("content-length", "-1")), _INSIDE),
    "a length of another base": (_named(("content-length", "0x0")), _INSIDE),
    "pieces": (_named(("transfer-encoding", "chunked")), _PIECES),
    "pieces and a length": (_named(("transfer-encoding", "chunked"), ("content-length", "{length}")), _PIECES),
    "an unknown coding": (_named(("transfer-encoding", "xchunked")), _PIECES),
    "trailers alone would do": (_named(("te", "chunked")), _PIECES),
    "a connection that names a header": (_named(("connection", "content-length, host")), _INSIDE),
    "another protocol": (
        _named(("connection", "upgrade"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABk")),
        _INSIDE,
    ),
    "a connection that is kept": (_named(("keep-alive", "timeout=5"), ("proxy-connection", "keep-alive")), _INSIDE),
    "a line's end in a value": (_named(("x-note", "a\r\nTransfer-Encoding: chunked")), _PIECES),
    "half a line's end in a value": (_named(("x-note", "a\nTransfer-Encoding: chunked")), _PIECES),
    "the other half of it": (_named(("x-note", "a\rTransfer-Encoding: chunked")), _PIECES),
    "a NUL in a value": (_named(("x-note", "a\x00b")), _INSIDE),
    "a line's end in a cookie": (_named(("cookie", "a=b"), ("cookie", "c\r\nTransfer-Encoding: chunked")), _PIECES),
    "a head's end in a value": (_named(("x-note", "a\r\n\r\n" + _INSIDE)), ""),
    "a line's end in a name": (_named(("x-note: a\r\ntransfer-encoding", "chunked")), _PIECES),
    "a colon in a name": (_named(("transfer-encoding: chunked\r\nx", "a")), _PIECES),
    "a blank in a name": (_named(("transfer-encoding ", "chunked")), _PIECES),
    "a name in capitals": (_named(("Transfer-Encoding", "chunked")), _PIECES),
    "a name with a line below": (_named(("transfer_encoding", "chunked")), _PIECES),
    "no name": (_named(("", "chunked")), _PIECES),
    "another host": (_named(("host", "elsewhere.example")), _INSIDE),
    "a path with another request": (_instead(":path", "{path}" + _LINE), ""),
    "a path with a blank": (_instead(":path", "{path} HTTP/1.1"), _INSIDE),
    "a path with a line's end": (_instead(":path", "{path}\r\nTransfer-Encoding: chunked"), _PIECES),
    "a path with half a line's end": (_instead(":path", "{path}\nTransfer-Encoding: chunked"), _PIECES),
    "a path that is a whole address": (_instead(":path", "http://elsewhere.example{path}"), _INSIDE),
    "a path that is nothing": (_instead(":path", ""), _INSIDE),
    "two paths": (_instead(":path", "{path}", WANTED), _INSIDE),
    "no path": (_instead(":path"), _INSIDE),
    "a method with another request": (_instead(":method", f"GET {WANTED}{_LINE}\r\n\r\nPOST"), ""),
    "a method with a blank": (_instead(":method", f"GET {WANTED}"), _INSIDE),
    "two methods": (_instead(":method", "POST", "GET"), _INSIDE),
    "no method": (_instead(":method"), _INSIDE),
    "a method that opens a way": (_instead(":method", "CONNECT"), _INSIDE),
    "a scheme with another request": (_instead(":scheme", f"https://{{host}}{WANTED}{_LINE}"), ""),
    "two schemes": (_instead(":scheme", "https", "http"), _INSIDE),
    "an authority with a line's end": (_instead(":authority", "{host}\r\nTransfer-Encoding: chunked"), _PIECES),
    "an authority with a blank": (_instead(":authority", "{host} HTTP/1.1"), _INSIDE),
    "two authorities": (_instead(":authority", "{host}", "elsewhere.example"), _INSIDE),
    "a field that there is not": (_named((":odd", "a")), _INSIDE),
    "the status of a reply": (_named((":status", "200")), _INSIDE),
    "a field of the beginning at the end": (_last, _INSIDE),
}


# What more there may be where the frames are at odds with each other: a head, data and what the body holds go in.
FRAMES: dict[str, Callable[[bytes, bytes, bytes], list[bytes]]] = {
    "a coding behind the body": lambda head, data, _: [head, data, _trailer("transfer-encoding", "chunked")],
    "a length behind the body": lambda head, data, _: [head, data, _trailer("content-length", "0")],
    "a path behind the body": lambda head, data, _: [head, data, _trailer(":path", WANTED)],
    "a line's end behind the body": lambda head, data, _: [head, data, _trailer("x-note", "a\r\n\r\n")],
    "data behind the end": lambda head, _, inside: [head, http2.frame(DATA, END_STREAM, b"{}"), _ended(inside)],
    "more filling than there is": lambda head, _, inside: [
        head,
        http2.frame(DATA, END_STREAM | PADDED, b"\xff" + inside),
    ],
    "data without a head": lambda _, __, inside: [_ended(inside)],
    "data within the head": lambda head, data, _: [http2.frame(HEADERS, NONE, head[FRAME_HEAD:]), data],
    "a head that is torn": lambda head, _, __: [http2.frame(HEADERS, END_HEADERS | END_STREAM, head[FRAME_HEAD:-5])],
    "data of nobody": lambda head, _, inside: [head, http2.frame(DATA, END_STREAM, inside, 0)],
}


def fields(name: str, host: str, path: str, more: Sequence[Field] = ()) -> tuple[list[bytes], bytes]:
    """The frames of the one of this name, and the body that they hold; `more` are fields that nobody lies about."""
    change, body = FIELDS[name]
    said = body.replace("{host}", host)
    filled = {"{host}": host, "{path}": path, "{length}": str(len(said))}
    told = [(field, _filled(value, filled)) for field, value in change(_usual(host, path, more))]
    return [http2.headers(told), _ended(said.encode())], said.encode()


def frames(name: str, host: str, path: str) -> list[bytes]:
    """The same of what frames alone make of it."""
    inside = _INSIDE.replace("{host}", host).encode()
    return FRAMES[name](http2.headers(_usual(host, path)), http2.frame(DATA, NONE, inside), inside)


def _usual(host: str, path: str, more: Sequence[Field] = ()) -> list[Field]:
    return [(":method", "POST"), (":path", path), (":scheme", "https"), (":authority", host), *more]


def _filled(value: str, words: dict[str, str]) -> str:
    for place, word in words.items():
        value = value.replace(place, word)
    return value


def _ended(body: bytes) -> bytes:
    return http2.frame(DATA, END_STREAM, body)


def _trailer(name: str, value: str) -> bytes:
    return http2.headers([(name, value)], flags=END_HEADERS | END_STREAM)
