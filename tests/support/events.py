"""Event streams of our own, as a browser would read them."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ServerEvent:
    id: int
    name: str
    data: dict[str, Any]


def events_of(body: bytes) -> list[ServerEvent]:
    """The events of a stream that has ended; comments are left out."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append(ServerEvent(int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def text_of(events: list[ServerEvent], name: str = "token") -> str:
    return "".join(event.data["text"] for event in events if event.name == name)
