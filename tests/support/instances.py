"""Two instances that share a database, and answers that one of them makes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine, text

from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD, Served, Stream
from tests.support.upstream_answers import Answer

WORDS = " ".join(f"word{number}" for number in range(200))
ENDLESS = Answer(text=WORDS * 20, tokens_per_second=40)
FINISH_SECONDS = 40
REAPED_SECONDS = 40  # an instance that has just begun gives others the time to renew first
CREDENTIALS = {"username": "second", "password": PASSWORD}  # of a member

T = TypeVar("T")


@dataclass
class Site:
    """The second instance has two workers."""

    first: Served
    second: Served
    database: Engine
    upstream: ScriptedUpstream

    def lease_runs_out(self) -> None:
        """As if half a minute had passed without a word from the worker."""
        with self.database.begin() as connection:
            connection.execute(text("UPDATE runs SET lease_expires_at = UTC_TIMESTAMP() - INTERVAL 1 SECOND"))

    def row(self, query: str, **values: str) -> Any:
        with self.database.connect() as connection:
            return connection.execute(text(query), values).one()


def seen(ask: Callable[[], T]) -> set[T]:
    """What the second instance's two workers answer: which of them does is chance."""
    return {ask() for _ in range(12)}


def done(site: Site, method: str, path: str, content: Any = None) -> Any:
    """Changed on the first instance; gives what it answers."""
    reply = site.first.ask(method, path, content)
    assert reply.status in {200, 201, 204}, reply.data
    return reply.json() if reply.data else None


def begin(site: Site, answer: Answer) -> tuple[Stream, str]:
    """An answer that the first instance makes, and that has begun to come."""
    site.upstream.script(answer)
    stream = site.first.chat("Go.")
    events = iter(stream)
    run_id: str = next(events)[1]["run_id"]
    while next(events)[0] != "token":
        pass
    return stream, run_id


def some(stream: Stream, count: int) -> list[tuple[int, str, dict[str, Any]]]:
    taken = []
    for name, event in stream:
        taken.append((stream.last_id, name, event))
        if len(taken) == count:
            break
    stream.close()
    return taken


def digest(events: list[tuple[int, str, dict[str, Any]]]) -> str:
    said = "".join(event["text"] for _, name, event in events if name == "token")
    return hashlib.sha256(said.encode()).hexdigest()
