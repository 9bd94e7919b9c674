"""What was measured, beside what it may be, as tables in Markdown."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from bench.ledger.memory import Memory
from bench.ledger.readers import Timed
from bench.ledger.settlement import Costs, Settlement
from bench.report import Figure, p95

PAGE_MS, MORE_MB, RATIO = 100.0, 50.0, 1.2
SLOWEST = 10


@dataclass(frozen=True, slots=True)
class Job:
    """Something that reads the whole ledger: `done` says whether it came to its right end."""

    seconds: float
    memory: Memory
    done: bool


@dataclass(slots=True)
class Results:
    """Everything measured, of the code as it was when it began: `commit`.

    `others` is the share of one processor that strangers' processes used meanwhile.
    """

    entries: int
    rounds: int
    commit: str
    settlement: Settlement = field(default_factory=Settlement)
    others: float = 0.0
    pages: list[Timed] = field(default_factory=list)
    export: Job | None = None
    verify: Job | None = None


def is_late(page: Timed) -> bool:
    return p95(page.times) > PAGE_MS


def figures(results: Results) -> list[Figure]:
    late = sum(map(is_late, results.pages))
    settlement = results.settlement
    found = [
        Figure(f"pages whose 95th percentile is over {PAGE_MS:g} ms, of {len(results.pages)}", late, "", 0),
        Figure("slowest page, 95th percentile", max((p95(each.times) for each in results.pages), default=0), "ms"),
        Figure("all pages, 95th percentile", p95([time for each in results.pages for time in each.times]), "ms"),
        Figure("first look at each page, 95th percentile", p95([each.first for each in results.pages]), "ms"),
        Figure("first look at each page, slowest", max((each.first for each in results.pages), default=0), "ms"),
        Figure(
            "most processor time of a page, median",
            max((median(each.worked) for each in results.pages), default=0),
            "ms",
        ),
        *_costs("settlement", settlement.settle),
        *_costs("dispatch", settlement.dispatch),
    ]
    if export := results.export:
        found += _job("export of everything as CSV", export, "rows missing or too many")
    if verify := results.verify:
        found += _job("`flask usage verify`", verify, "differences")
    return [*found, Figure("processor used by others meanwhile", results.others * 100, "%")]


def markdown(results: Results) -> str:
    lines = ["| figure | value | at most |", "|---|---:|---|"]
    for figure in figures(results):
        limit = "" if figure.limit is None else f"{figure.limit:g} {'**missed**' if figure.is_missed else 'met'}"
        lines.append(f"| {figure.name} | {figure.value:,.4g} {figure.unit} | {limit} |")
    if results.verify is None:
        lines += ["", "Everything had not been exported and checked yet."]
    return "\n".join([*lines, "", *_kinds(results), "", *_slowest(results)])


def _costs(name: str, costs: Costs) -> Iterator[Figure]:
    yield Figure(f"{name} over an empty ledger, median", median(costs.empty), "ms")
    yield Figure(f"{name} over the full ledger, median", median(costs.full), "ms")
    yield Figure(f"{name}, full to empty", costs.ratio, "×", RATIO)


def _job(name: str, job: Job, fault: str) -> Iterator[Figure]:
    yield Figure(f"{name}: {fault}", 0 if job.done else 1, "", 0)
    yield Figure(f"{name}: time", job.seconds, "s")
    yield Figure(f"{name}: memory (PSS) more than before", job.memory.more, "MB", MORE_MB)


def _kinds(results: Results) -> Iterator[str]:
    """Each kind of page: how many, their middle, and the slowest of them."""
    heads = ("how many", "median", "slowest page: median", "95th percentile", "most processor time, median")
    yield f"| pages, each {results.rounds} times | {' | '.join(heads)} |"
    yield "|---|" + "--:|" * len(heads)
    kinds: dict[str, list[Timed]] = {}
    for each in results.pages:
        kinds.setdefault(f"{each.page.kind}{each.reader}", []).append(each)
    for kind, pages in kinds.items():
        slowest = max(pages, key=lambda each: p95(each.times))
        middle = median(time for each in pages for time in each.times)
        times = f"{middle:.1f} ms | {median(slowest.times):.1f} ms | {_late(slowest)}"
        yield f"| {kind} | {len(pages)} | {times} | {max(median(each.worked) for each in pages):.1f} ms |"


def _slowest(results: Results) -> Iterator[str]:
    yield f"| the {SLOWEST} slowest | median | 95th percentile | processor time, median |"
    yield "|---|--:|--:|--:|"
    for each in sorted(results.pages, key=lambda each: -p95(each.times))[:SLOWEST]:
        times = f"{median(each.times):.1f} ms | {_late(each)} | {median(each.worked):.1f} ms"
        yield f"| `{each.page.path}`{each.reader} | {times} |"


def _late(each: Timed) -> str:
    time = p95(each.times)
    return f"**{time:.1f} ms**" if is_late(each) else f"{time:.1f} ms"
