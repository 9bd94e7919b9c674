"""One load on a server: what its processes spend meanwhile, and what its readers see."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from statistics import median
from typing import NamedTuple

import msgspec

from bench import proc, servers
from bench.plan import Plan, Report
from bench.report import Burst, Steady
from bench.servers import Server

DISK_WRITES = 100


def steady(plan: Plan, server: Server, provider: Server, beside: Mapping[str, int] | None = None) -> Steady:
    """What the server's processes spend while the load neither grows nor shrinks.

    `beside` are the processes that serve the server, by name.
    """
    words, beside = _load(plan), beside or {}
    _expect(words, "steady")
    began, before, sent = time.monotonic(), _spent(server, beside), provider.get("/stats")
    _expect(words, "measured")
    seconds, after = time.monotonic() - began, _spent(server, beside)
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
        beside={name: after.beside[name] - before.beside[name] for name in beside},
    )
    say(f"  {plan.tokens} tokens: {measured.microseconds_per_token:.1f} µs a token, others {measured.others:.0%}")
    return measured


class _Spent(NamedTuple):
    """Processor seconds until now: of the server, of all that the benchmark started, of the machine."""

    server: float
    ours: float
    machine: float
    beside: Mapping[str, float]


def _spent(server: Server, beside: Mapping[str, int]) -> _Spent:
    serving = {name: proc.cpu_seconds(pid) for name, pid in beside.items()}
    return _Spent(proc.cpu_seconds(server.pid), proc.cpu_seconds(os.getpid()), proc.machine_cpu_seconds(), serving)


def burst(plan: Plan, server: Server) -> Burst:
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


def disk() -> float:
    """Milliseconds until a small write is on the disk that databases of the bench are on, the median of many."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(DISK_WRITES):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return median(times)


def ledger(server: Server) -> dict[str, object]:
    """The administrator's own use."""
    return _total(server, "/api/usage/summary")


def site_ledger(server: Server) -> dict[str, object]:
    """Everybody's use together."""
    return _total(server, "/api/admin/overview")


def _total(server: Server, path: str) -> dict[str, object]:
    return msgspec.convert(server.get(path, servers.session_of(server))["total"], dict[str, object])


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
