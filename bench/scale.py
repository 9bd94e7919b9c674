"""How many open answers a worker carries: ``python -m bench.scale`` (or ``make bench-scale``).

One worker on SQLite, then one and two on MariaDB with Redis, each under more and more answers at once. Status 1 where
an answer is lost or the ledger is not what the provider counted.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import measure, servers
from bench.plan import Plan
from bench.report import Ledger, Steady, p95
from bench.servers import Server
from tests.support import mariadb

ALL_AT_ONCE, TOKENS, RATE, SECONDS = (100, 250, 500, 750, 1000), 200, 20.0, 20.0


@dataclass(frozen=True, slots=True)
class Site:
    """What serves; `shared` is MariaDB with Redis, otherwise it is SQLite."""

    name: str
    workers: int
    shared: bool


SITES = (
    Site("1 worker, SQLite", 1, shared=False),
    Site("1 worker, MariaDB, Redis", 1, shared=True),
    Site("2 workers, MariaDB, Redis", 2, shared=True),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A load on a site. `first_token_later` is milliseconds, 95th percentile from 95th percentile."""

    site: Site
    streams: int
    load: Steady
    first_token_later: float

    @property
    def lost(self) -> int:
        return self.load.load.asked - self.load.load.answers


def main() -> None:
    """Print a table; status 1 where something was lost."""
    parser = argparse.ArgumentParser(prog="bench.scale", description="How many open answers a worker carries.")
    parser.add_argument("--at-once", type=int, nargs="+", default=ALL_AT_ONCE, help="open answers, one load for each")
    at_once = parser.parse_args().at_once
    direct = {streams: p95(_direct(streams).load.first_token) for streams in at_once}
    rows: list[Measured] = []
    apart = 0
    for site in SITES:
        measure.say(site.name)
        apart += _measure(site, direct, rows)
    print(markdown(rows, apart))
    if apart or any(row.lost for row in rows):
        sys.exit(1)


def markdown(rows: list[Measured], apart: int) -> str:
    """The loads as a table."""
    lines = [
        f"Answers of {TOKENS} tokens, {RATE:g} tokens a second each.",
        "",
        "| site | answers at once | tokens a second | of a processor | memory | first token later, p95 | lost |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        load = row.load
        lines.append(
            f"| {row.site.name} | {row.streams} | {load.tokens / load.seconds:,.0f} |"
            f" {load.cpu_seconds / load.seconds:.0%} | {load.pss:.0f} MB | {row.first_token_later:+.0f} ms |"
            f" {row.lost} |"
        )
    busiest = max(row.load.others for row in rows)
    return "\n".join(
        [*lines, "", f"Ledger apart from the provider's count: {apart}. Others used {busiest:.1%} at most."]
    )


def _direct(streams: int) -> Steady:
    with servers.upstream(RATE) as provider:
        plan = Plan(port=provider.port, kind="provider", streams=streams, tokens=TOKENS, rate=RATE, seconds=SECONDS)
        return measure.steady(plan, provider, provider)


def _measure(site: Site, direct: dict[int, float], rows: list[Measured]) -> int:
    """Add a row for each load; gives how far the ledger is apart from what the provider counted."""
    with servers.upstream(RATE) as provider, _serving(site, provider) as server:
        for streams, usual in direct.items():
            plan = Plan(
                port=server.port,
                kind="chat",
                streams=streams,
                tokens=TOKENS,
                rate=RATE,
                seconds=SECONDS,
                username=servers.USERNAME,
                password=servers.PASSWORD,
            )
            load = measure.steady(plan, server, provider)
            rows.append(Measured(site, streams, load, p95(load.load.first_token) - usual))
        return Ledger.compare(measure.ledger(server), provider.get("/stats")).apart


@contextmanager
def _serving(site: Site, provider: Server) -> Iterator[Server]:
    if not site.shared:
        with servers.mingchat(provider, beside={"MAX_RUNS_PER_USER": "5000"}) as server:
            yield server
        return
    with mariadb.server() as database, servers.redis() as redis:
        settings = {"WEB_CONCURRENCY": str(site.workers), "DATABASE_URL": database, "MAX_RUNS_PER_USER": "5000"}
        with servers.mingchat(provider, redis, beside=settings) as server:
            yield server


if __name__ == "__main__":
    main()
