"""Runs it: `make bench-ledger`, or `python -m bench.ledger`.

ROWS is how many answers the ledger has (ten million), SEED what is drawn, ROUNDS how often each page is asked (20),
FOLDER where the filled database is kept for another run, REPORT a document for the tables: those of pages and
settlement first, all of them once everything has been exported and checked, which takes longest. The exit status is 1
when something is more than it may be.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from bench import proc, servers
from bench.ledger import pages, readers, report, settlement, site
from bench.ledger.memory import watched
from bench.ledger.pages import Page
from bench.ledger.readers import Reader
from bench.ledger.report import Job, Results
from bench.ledger.site import Site
from bench.servers import Server
from tests.support import marks

TOKEN_RATE = 20.0  # of the provider that nobody asks


def main() -> None:
    rows = int(os.environ.get("ROWS") or 10_000_000)
    seed = int(os.environ.get("SEED") or 2026)
    rounds = int(os.environ.get("ROUNDS") or 20)
    kept = os.environ.get("FOLDER")
    with nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="mdb", ignore_cleanup_errors=True) as folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        with site.running(Path(folder), rows, seed, _say) as prepared:
            _say(f"{prepared.entries:,} entries are there after {time.monotonic() - began:.0f} s")
            command = f"make bench-ledger ROWS={rows} SEED={seed}"
            for results in _measured(prepared, rounds, seed):
                _tell(command, results)
    if any(figure.is_missed for figure in report.figures(results)):
        sys.exit(1)


def _tell(command: str, results: Results) -> None:
    said = f"`{command}`, {datetime.now(UTC):%Y-%m-%d}: {_about(results)}\n\n{report.markdown(results)}"
    print(said)
    if document := os.environ.get("REPORT"):
        marks.fill(Path(document), "make bench-ledger", said)


def _measured(prepared: Site, rounds: int, seed: int) -> Iterator[Results]:
    """The same results twice: with what pages and settlements took, then with what reads the whole ledger as well."""
    began, before = time.monotonic(), _others()
    results = Results(entries=prepared.entries, rounds=rounds, commit=_commit())
    with servers.upstream(TOKEN_RATE) as provider, servers.on_database(provider, prepared.url) as server:
        asked = _asked(prepared, server)
        results.pages = readers.measure(asked, rounds, seed, (server.pid, prepared.database_pid))
        _say(f"{len(asked)} pages measured; too late:")
        for each in filter(report.is_late, results.pages):
            _say(f"{each.page.kind}{each.reader} {each.page.path}: {[round(time) for time in each.times]} ms")
        costs = settlement.measure(prepared.url, prepared.empty_url, prepared.asked, seed)
        _say(f"settlement {costs.settle.ratio:.2f}, dispatch {costs.dispatch.ratio:.2f} times that of an empty ledger")
        results.settlement = costs
        results.others = (_others() - before) / (time.monotonic() - began)
        yield results
        results.export = _export(server, asked[0][0], prepared)
        _say(f"exported in {results.export.seconds:.0f} s")
    results.verify = _verify(prepared.url)
    _say(f"verified in {results.verify.seconds:.0f} s")
    results.others = (_others() - before) / (time.monotonic() - began)
    yield results


def _asked(prepared: Site, server: Server) -> list[tuple[Reader, Page]]:
    """The first reader looks at everything; those of other time zones at what depends on them, a manager at a group."""
    asked = []
    for name, (username, known) in prepared.readers.items():
        reader = Reader(server, name, username, site.PASSWORD)
        wanted = [*pages.own(known), *pages.site(known)]
        if name:
            wanted = [page for page in wanted if page.is_of_days]
        else:
            wanted += reader.pages_after([page for page in wanted if page.is_search], "next page of records")
        asked += [(reader, page) for page in wanted]
    manager = Reader(server, "", prepared.manager, site.PASSWORD)
    _, known = prepared.readers[""]
    return [*asked, *((manager, page) for page in pages.managed(known))]


def _export(server: Server, reader: Reader, prepared: Site) -> Job:
    expected = site.count_entries(prepared)
    with watched(server.pid) as memory:
        began = time.monotonic()
        lines = reader.count_lines("/api/admin/records/export")
    return Job(time.monotonic() - began, memory, done=lines == expected + 1)  # and the heads


def _verify(url: str) -> Job:
    """Its memory is that of the whole command: what it began with is what it has after a second."""
    began = time.monotonic()
    with servers.command(url, "usage", "verify") as process:
        time.sleep(1)
        with watched(process.pid) as memory:
            status = process.wait()
    return Job(time.monotonic() - began, memory, done=status == 0)


def _others() -> float:
    """Processor seconds of the machine that were nobody's of this run."""
    return proc.machine_cpu_seconds() - proc.cpu_seconds(os.getpid())


def _commit() -> str:
    return subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()


def _about(results: Results) -> str:
    return (
        f"commit `{results.commit}`, {results.entries:,} entries, MariaDB with a buffer pool of {site.BUFFER_POOL} and"
        f" a log of {site.LOG_FILE}, {os.cpu_count()} processors, one worker."
    )


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
