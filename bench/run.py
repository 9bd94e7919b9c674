"""Runs the benchmark: `python -m bench` (or `make bench`); `--quick`, `--check`, `--json FILE`."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench import proc, report, servers
from bench.plan import Plan, Report
from bench.report import LONG, SHORT, Burst, Results, Steady
from bench.servers import Server

Contender = Callable[[Server], AbstractContextManager[Server]]


def main() -> None:
    options = _options()
    results = Results(streams=options.streams, rate=options.rate)
    with servers.checked_out(options.against) if options.against else nullcontext() as earlier:
        _measure(results, options, earlier)
    print(report.markdown(results))
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report.summary(results)), indent=2))
    if options.check and any(figure.is_missed for figure in report.figures(results)):
        sys.exit(1)


def _measure(results: Results, options: argparse.Namespace, earlier: Path | None) -> None:
    for number in range(options.rounds):
        _say(f"round {number + 1} of {options.rounds}")
        _direct(results, options)
        turns = [_relay, _mingchat]
        for turn in turns if number % 2 == 0 else reversed(turns):
            turn(results, options)
        if options.redis:
            _shared(results, options)
        if earlier:
            _earlier(results, options, earlier)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="What a relayed token costs.")
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20.0, help="tokens a second of a stream")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time of each load")
    parser.add_argument("--quick", action="store_true", help="one round of 10 s each: a first impression")
    parser.add_argument("--redis", action="store_true", help="also what sharing the answers over Redis costs")
    parser.add_argument("--against", metavar="REVISION", help="also what a token cost with the code of that revision")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 10.0
    return options


def _direct(results: Results, options: argparse.Namespace) -> None:
    with servers.upstream(options.rate) as provider:
        plan = _plan(provider, options, SHORT, kind="provider")
        results.add("direct", _steady(plan, provider, provider))


def _relay(results: Results, options: argparse.Namespace) -> None:
    with servers.upstream(options.rate) as provider, servers.relay(provider) as server:
        for tokens in (SHORT, LONG):
            results.add("relay", _steady(_plan(server, options, tokens), server, provider))


def _mingchat(results: Results, options: argparse.Namespace) -> None:
    with servers.upstream(options.rate) as provider, servers.mingchat(provider) as server:
        for tokens in (SHORT, LONG):
            plan = _plan(server, options, tokens, signs_in=True)
            results.add("mingchat", _steady(plan, server, provider))
        plan = _plan(server, options, SHORT, signs_in=True, burst=True)
        results.bursts.append(_burst(plan, server))
        results.ledgers.append(report.Ledger.compare(_ledger(server), provider.get("/stats")))


def _shared(results: Results, options: argparse.Namespace) -> None:
    with (
        servers.redis() as url,
        servers.upstream(options.rate) as provider,
        servers.mingchat(provider, redis_url=url) as server,
    ):
        for tokens in (SHORT, LONG):
            results.add("shared", _steady(_plan(server, options, tokens, signs_in=True), server, provider))
        results.ledgers.append(report.Ledger.compare(_ledger(server), provider.get("/stats")))


def _earlier(results: Results, options: argparse.Namespace, root: Path) -> None:
    with servers.upstream(options.rate) as provider, servers.mingchat(provider, root=root) as server:
        for tokens in (SHORT, LONG):
            results.add("earlier", _steady(_plan(server, options, tokens, signs_in=True), server, provider))


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


def _steady(plan: Plan, server: Server, provider: Server) -> Steady:
    """What the server's processes spend while the load neither grows nor shrinks."""
    words = _load(plan)
    _expect(words, "steady")
    began, before, sent = time.monotonic(), _spent(server), provider.get("/stats")
    _expect(words, "measured")
    seconds, after = time.monotonic() - began, _spent(server)
    pss = proc.pss_megabytes(server.pid)
    tokens = _difference(provider.get("/stats"), sent, "tokens")
    others = after.machine - before.machine - (after.ours - before.ours)
    measured = Steady(
        tokens_per_answer=plan.tokens,
        seconds=seconds,
        cpu_seconds=after.server - before.server,
        tokens=tokens,
        pss=pss,
        others=max(0.0, others / seconds),
        load=msgspec.json.decode(next(words), type=Report),
    )
    _say(f"  {plan.tokens} tokens: {measured.microseconds_per_token:.1f} µs a token, others {measured.others:.0%}")
    return measured


class _Spent(NamedTuple):
    """Processor seconds until now: of the server, of all that the benchmark started, of the machine."""

    server: float
    ours: float
    machine: float


def _spent(server: Server) -> _Spent:
    return _Spent(proc.cpu_seconds(server.pid), proc.cpu_seconds(os.getpid()), proc.machine_cpu_seconds())


def _burst(plan: Plan, server: Server) -> Burst:
    words = _load(plan)
    _expect(words, "steady")
    pss = proc.pss_megabytes(server.pid)
    return Burst(load=msgspec.json.decode(next(words), type=Report), pss=pss)


def _load(plan: Plan) -> Iterator[bytes]:
    """Start the load client; its lines as they come."""
    command = [sys.executable, "-m", "bench.load"]
    with subprocess.Popen(command, cwd=servers.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(msgspec.json.encode(plan))
        process.stdin.close()
        yield from (line.strip() for line in process.stdout)
    if process.returncode:
        raise SystemExit(f"the load client failed: status {process.returncode}")


def _expect(words: Iterator[bytes], wanted: str) -> None:
    word = next(words, b"nothing")
    if word != wanted.encode():
        raise SystemExit(f"the load client said {word!r} where {wanted!r} was due")


def _difference(now: dict[str, object], before: dict[str, object], name: str) -> int:
    return int(str(now[name])) - int(str(before[name]))


def _ledger(server: Server) -> dict[str, object]:
    return msgspec.convert(server.get("/api/usage/summary", servers.session_of(server))["total"], dict[str, object])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
