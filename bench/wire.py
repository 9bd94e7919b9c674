"""Reading a streamed HTTP response as the load client does: raw bytes to the text of an answer."""

from typing import Any

import msgspec

END = b"\r\n0\r\n\r\n"  # how a chunked body ends


class Broken(Exception):
    """The response is not a whole, good answer; the message says why."""


def answer_text(raw: bytes, kind: str) -> tuple[str, int]:
    """The text of an answer and the number of events that carried it; raises Broken."""
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise Broken(f"{head[:20].decode('latin-1')}: {body[:120].decode('utf-8', 'replace')}")
    events = _events(_dechunked(body))
    pieces = _chat_pieces(events) if kind == "chat" else _provider_pieces(events)
    return "".join(pieces), len(pieces)


def _dechunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        line_end = body.index(b"\r\n", at)
        size = int(body[at:line_end].partition(b";")[0], 16)
        if size == 0:
            return b"".join(parts)
        parts.append(body[line_end + 2 : line_end + 2 + size])
        at = line_end + 2 + size + 2


def _events(stream: bytes) -> list[tuple[bytes, bytes]]:
    """Name and data of each event that has data."""
    events = []
    for block in stream.split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
        if b"data" in fields:
            events.append((fields.get(b"event", b""), fields[b"data"]))
    return events


def _provider_pieces(events: list[tuple[bytes, bytes]]) -> list[str]:
    if not events or events[-1][1] != b"[DONE]":
        raise Broken("no [DONE]")
    choices = [_choice(data) for _, data in events[:-1]]
    return [text for choice in choices if choice and (text := choice["delta"].get("content"))]


def _choice(data: bytes) -> dict[str, Any] | None:
    choices = msgspec.json.decode(data)["choices"]
    return choices[0] if choices else None


def _chat_pieces(events: list[tuple[bytes, bytes]]) -> list[str]:
    last = msgspec.json.decode(events[-1][1]) if events else {}
    if not events or events[-1][0] != b"done" or last["status"] != "complete":
        raise Broken(f"ends with {events[-1] if events else 'nothing'}")
    return [msgspec.json.decode(data)["text"] for name, data in events if name == b"token"]
