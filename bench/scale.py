"""How many open answers a worker carries: ``python -m bench.scale`` (or ``make bench-scale``).

One worker on SQLite, then one and two on MariaDB with Redis, each under more and more answers at once, of the chat and
at last of programs; a hundred people ask for them in turn. Status 1 where an answer is lost, the ledger is not what the
provider counted, or two workers let programs wait for the first token for too long.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import redis

from bench import measure, servers
from bench.plan import Plan
from bench.report import Ledger, Steady, p95
from bench.servers import Redis, Server
from tests.support import mariadb
from tests.support.mariadb import MariaDB

ALL_AT_ONCE, TOKENS, RATE, SECONDS = (100, 250, 500, 750, 1000), 400, 20.0, 20.0
PEOPLE = 100
FIRST_TOKEN_MS = 100.0  # of programs' answers by two workers, 95th percentile


@dataclass(frozen=True, slots=True)
class Site:
    """What serves, and by which door; `shared` is MariaDB with Redis, otherwise it is SQLite."""

    name: str
    workers: int
    shared: bool
    kind: Literal["chat", "gateway"] = "chat"


SITES = (
    Site("1 worker, SQLite", 1, shared=False),
    Site("1 worker, MariaDB, Redis", 1, shared=True),
    Site("2 workers, MariaDB, Redis", 2, shared=True),
    Site("2 workers, MariaDB, Redis, programs", 2, shared=True, kind="gateway"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A site that runs, and what serves it."""

    server: Server
    database: MariaDB | None = None
    redis: Redis | None = None

    @property
    def beside(self) -> dict[str, int]:
        parts = {"database": self.database, "redis": self.redis}
        return {name: part.pid for name, part in parts.items() if part}


@dataclass(frozen=True, slots=True)
class Measured:
    """A load on a site. `first_token_later` is milliseconds, 95th percentile from 95th percentile."""

    site: Site
    streams: int
    tokens: int  # of an answer
    load: Steady
    first_token_later: float
    redis_megabytes: float | None  # at most, until then

    @property
    def lost(self) -> int:
        return self.load.load.asked - self.load.load.answers

    @property
    def first_token(self) -> float:
        """Milliseconds, 95th percentile."""
        return p95(self.load.load.first_token)

    @property
    def is_late(self) -> bool:
        return self.site.kind == "gateway" and self.first_token > FIRST_TOKEN_MS


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays of the answers. `bytes_each` is what the tables and their indexes take on disk for one."""

    apart: int
    bytes_each: float | None


def main() -> None:
    """Print a table; status 1 where something was lost, or came late."""
    parser = argparse.ArgumentParser(prog="bench.scale", description="How many open answers a worker carries.")
    parser.add_argument("--at-once", type=int, nargs="+", default=ALL_AT_ONCE, help="open answers, one load for each")
    parser.add_argument("--tokens", type=int, default=TOKENS, help="of an answer: the fewer, the more begin a second")
    options = parser.parse_args()
    direct = {each: p95(_direct(each, options.tokens).load.first_token) for each in options.at_once}
    rows: list[Measured] = []
    kept: list[Kept] = []
    for site in SITES:
        measure.say(site.name)
        kept.append(_measure(site, direct, options.tokens, rows))
    print(markdown(rows, kept))
    if any(site.apart for site in kept) or any(row.lost or row.is_late for row in rows):
        sys.exit(1)


def markdown(rows: list[Measured], kept: list[Kept]) -> str:
    """The loads as a table, and what became of the answers in sentences."""
    head = ("site", "answers at once", "tokens a second", "of a processor: workers", "database", "Redis",
            "memory: workers", "Redis", "first token, p95", "later than direct", "lost")  # fmt: skip
    lines = [f"Answers of {rows[0].tokens} tokens, {RATE:g} tokens a second each, of {PEOPLE} people.", ""]
    lines += ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += [_line(row) for row in rows]
    busiest, apart = max(row.load.others for row in rows), sum(site.apart for site in kept)
    each = [f"{site.bytes_each:,.0f} bytes of tables an answer on MariaDB." for site in kept if site.bytes_each]
    others = f"Others used {busiest:.1%} of a processor at most."
    return "\n".join([*lines, "", " ".join([f"Ledger apart from the provider's count: {apart}.", *each[-1:], others])])


def _line(row: Measured) -> str:
    load = row.load
    cells = [row.site.name, row.streams, f"{load.tokens / load.seconds:,.0f}", f"{load.cpu_seconds / load.seconds:.0%}"]
    cells += [
        f"{load.beside[name] / load.seconds:.0%}" if name in load.beside else "" for name in ("database", "redis")
    ]
    cells += [f"{load.pss:.0f} MB", f"{row.redis_megabytes:.0f} MB" if row.redis_megabytes else ""]
    first = f"{row.first_token:.0f} ms{' **late**' if row.is_late else ''}"
    return "| " + " | ".join(map(str, [*cells, first, f"{row.first_token_later:+.0f} ms", row.lost])) + " |"


def _direct(streams: int, tokens: int) -> Steady:
    with servers.upstream(RATE) as provider:
        return measure.steady(_plan(provider, "provider", streams, tokens), provider, provider)


def _plan(server: Server, kind: Literal["provider", "chat", "gateway"], streams: int, tokens: int) -> Plan:
    """Its reader is patient: provider and reader have the same processors as what is measured."""
    return Plan(port=server.port, kind=kind, streams=streams, tokens=tokens, rate=RATE, seconds=SECONDS, patient=True)


def _measure(site: Site, direct: dict[int, float], tokens: int, rows: list[Measured]) -> Kept:
    """Add a row for each load."""
    with servers.upstream(RATE) as provider, _serving(site, provider, max(direct)) as place:
        people = [headers[site.kind] for headers in servers.people_of(place.server, PEOPLE)]
        before = _table_bytes(place.database)
        for streams, usual in direct.items():
            plan = _plan(place.server, site.kind, streams, tokens)
            plan.people = people
            load = measure.steady(plan, place.server, provider, place.beside)
            later = p95(load.load.first_token) - usual
            rows.append(Measured(site, streams, tokens, load, later, _redis_megabytes(place.redis)))
        ledger = Ledger.compare(measure.site_ledger(place.server), provider.get("/stats"))
        grown = _table_bytes(place.database) - before
        return Kept(ledger.apart, grown / ledger.booked["requests"] if grown else None)


def _table_bytes(database: MariaDB | None) -> int:
    """What the files of the tables take, their indexes among them; 0 on SQLite."""
    return sum(file.stat().st_blocks * 512 for file in database.data.glob("*/*.ibd")) if database else 0


def _redis_megabytes(server: Redis | None) -> float | None:
    if server is None:
        return None
    with redis.Redis(port=server.port) as client:
        return float(client.info("memory")["used_memory_peak"]) / 1e6


@contextmanager
def _serving(site: Site, provider: Server, at_once: int) -> Iterator[Place]:
    """The site, each of whose people may have an equal part of the answers `at_once`."""
    settings = {"WEB_CONCURRENCY": str(site.workers), "MAX_RUNS_PER_USER": str(2 * math.ceil(at_once / PEOPLE))}
    if not site.shared:
        with servers.mingchat(provider, beside=settings) as server:
            yield Place(server)
        return
    with (
        mariadb.running() as database,
        servers.redis() as shared,
        servers.mingchat(provider, shared.url, beside=settings | {"DATABASE_URL": database.url}) as server,
    ):
        yield Place(server, database, shared)


if __name__ == "__main__":
    main()
