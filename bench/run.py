"""Runs the benchmark: `python -m bench` (or `make bench`); `--quick`, `--no-check`, `--json FILE`."""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

import msgspec

from bench import measure, report, servers
from bench.plan import Plan
from bench.report import LONG, SHORT, Results
from bench.servers import Server

DOORS = {"mingchat": "chat", "gateway": "gateway"}  # by the name of its figures


def main() -> None:
    options = _options()
    results = Results(streams=options.streams, rate=options.rate, disk=measure.disk())
    with servers.checked_out(options.against) if options.against else nullcontext() as earlier:
        _measure(results, options, earlier)
    print(report.markdown(results))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report.summary(results)), indent=2))
    sys.exit(status(results, checks=options.check))


def status(results: Results, *, checks: bool) -> int:
    """What the command ends with: 1 where a bound is missed."""
    return int(checks and any(figure.is_missed for figure in report.figures(results)))


def _measure(results: Results, options: argparse.Namespace, earlier: Path | None) -> None:
    for number in range(options.rounds):
        measure.say(f"round {number + 1} of {options.rounds}")
        _direct(results, options)
        turns = [_relay, _mingchat]
        for turn in turns if number % 2 == 0 else reversed(turns):
            turn(results, options)
        if options.redis:
            _shared(results, options)
        if earlier:
            _earlier(results, options, earlier)


def _options(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="What a relayed token costs.")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0, help="tokens a second of a stream")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time of each load")
    parser.add_argument("--quick", action="store_true", help="one round of 10 s each: a first impression")
    parser.add_argument("--redis", action="store_true", help="also what sharing the answers over Redis costs")
    parser.add_argument("--against", metavar="REVISION", help="also what a token cost with the code of that revision")
    parser.add_argument(
        "--check", action=argparse.BooleanOptionalAction, default=True, help="fail when a target is missed"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args(given)
    if options.quick:
        options.rounds, options.seconds = 1, 10.0
    return options


def _direct(results: Results, options: argparse.Namespace) -> None:
    with servers.upstream(options.rate) as provider:
        plan = _plan(provider, options, SHORT, kind="provider")
        results.add("direct", measure.steady(plan, provider, provider))


def _relay(results: Results, options: argparse.Namespace) -> None:
    with servers.upstream(options.rate) as provider, servers.relay(provider) as server:
        for tokens in (SHORT, LONG):
            results.add("relay", measure.steady(_plan(server, options, tokens), server, provider))


def _mingchat(results: Results, options: argparse.Namespace) -> None:
    with servers.upstream(options.rate) as provider, servers.mingchat(provider) as server:
        for name, kind in DOORS.items():
            for tokens in (SHORT, LONG):
                plan = _plan(server, options, tokens, kind=kind, signs_in=True)
                results.add(name, measure.steady(plan, server, provider))
        plan = _plan(server, options, SHORT, signs_in=True, burst=True)
        results.bursts.append(measure.burst(plan, server))
        results.ledgers.append(report.Ledger.compare(measure.ledger(server), provider.get("/stats")))


def _shared(results: Results, options: argparse.Namespace) -> None:
    with (
        servers.redis() as redis,
        servers.upstream(options.rate) as provider,
        servers.mingchat(provider, redis_url=redis.url) as server,
    ):
        for tokens in (SHORT, LONG):
            results.add("shared", measure.steady(_plan(server, options, tokens, signs_in=True), server, provider))
        results.ledgers.append(report.Ledger.compare(measure.ledger(server), provider.get("/stats")))


def _earlier(results: Results, options: argparse.Namespace, root: Path) -> None:
    with servers.upstream(options.rate) as provider, servers.mingchat(provider, root=root) as server:
        for tokens in (SHORT, LONG):
            results.add("earlier", measure.steady(_plan(server, options, tokens, signs_in=True), server, provider))


def _plan(
    server: Server,
    options: argparse.Namespace,
    tokens: int,
    *,
    kind: str = "chat",
    signs_in: bool = False,
    burst: bool = False,
) -> Plan:
    account = {"username": servers.USERNAME, "password": servers.PASSWORD} if signs_in else {}
    content = {"kind": kind, "burst": burst, "seconds": options.seconds, **account}
    size = {"streams": options.streams, "tokens": tokens, "rate": options.rate}
    return msgspec.convert({"port": server.port, **size, **content}, Plan)
