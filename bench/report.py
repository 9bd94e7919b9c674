"""From measurements to figures, beside the targets they have to meet."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles

from bench.plan import Report

SHORT, LONG = 100, 400  # tokens an answer
BUSY = 0.15  # of one processor: from here on others show in the figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """One steady load: what the server's process tree spent, and what its readers saw."""

    tokens_per_answer: int
    seconds: float
    cpu_seconds: float
    tokens: int  # sent by the provider in that time
    pss: float  # megabytes at its end
    others: float  # share of one processor that strangers' processes used meanwhile
    load: Report
    beside: Mapping[str, float] = field(default_factory=dict)  # processor seconds of what serves it, by name

    @property
    def microseconds_per_token(self) -> float:
        return self.cpu_seconds / self.tokens * 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """All streams begun at one instant."""

    load: Report
    pss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What MingChat booked against what the provider sent, over everything one server was asked."""

    booked: dict[str, int]
    sent: dict[str, int]

    @classmethod
    def compare(cls, summary: dict[str, object], stats: dict[str, object]) -> "Ledger":
        names = ("prompt_tokens", "completion_tokens")
        booked = {name: int(str(summary[name])) for name in ("requests", *names)}
        sent = {"requests": int(str(stats["answers"]))} | {name: int(str(stats[name])) for name in names}
        return cls(booked=booked, sent=sent)

    @property
    def apart(self) -> int:
        """Requests and tokens."""
        return sum(abs(self.booked[name] - self.sent[name]) for name in self.sent)


@dataclass(slots=True)
class Results:
    """Everything measured, round after round. `disk` is how long a small write waits for it, in milliseconds."""

    streams: int
    rate: float
    disk: float
    steady: dict[tuple[str, int], list[Steady]] = field(default_factory=dict)
    bursts: list[Burst] = field(default_factory=list)
    ledgers: list[Ledger] = field(default_factory=list)

    def add(self, server: str, measured: Steady) -> None:
        self.steady.setdefault((server, measured.tokens_per_answer), []).append(measured)

    def cost(self, server: str, tokens: int) -> float:
        """Microseconds of processor time a token, the median of the rounds."""
        return median(measured.microseconds_per_token for measured in self.steady[server, tokens])

    def ratio(self, tokens: int, server: str = "mingchat", to: str = "relay") -> float:
        """The median of the rounds' own ratios: a slow minute of the machine slows both sides."""
        pairs = zip(self.steady[server, tokens], self.steady[to, tokens], strict=True)
        return median(one.microseconds_per_token / other.microseconds_per_token for one, other in pairs)

    def first_token(self, server: str, tokens: int) -> list[float]:
        return [time for measured in self.steady[server, tokens] for time in measured.load.first_token]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the outcome. `limit` is the most it may be, None where it only informs."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def is_missed(self) -> bool:
        return self.limit is not None and self.value > self.limit


def figures(results: Results) -> list[Figure]:
    streams, bursts = results.streams, results.bursts
    lost = sum(burst.load.asked - burst.load.answers for burst in bursts)
    steady = [measured for (server, _), all_of_it in results.steady.items() for measured in all_of_it]
    faults = sum(measured.load.asked - measured.load.answers for measured in steady)
    apart = sum(book.apart for book in results.ledgers)
    ours, direct = results.first_token("mingchat", SHORT), results.first_token("direct", SHORT)
    program = results.first_token("gateway", SHORT)
    return [
        Figure(f"CPU a token, answers of {SHORT}: bare relay", results.cost("relay", SHORT), "µs"),
        Figure(f"CPU a token, answers of {SHORT}: MingChat", results.cost("mingchat", SHORT), "µs"),
        Figure(f"ratio, answers of {SHORT}", results.ratio(SHORT), "×", 2.0),
        Figure(f"CPU a token, answers of {LONG}: bare relay", results.cost("relay", LONG), "µs"),
        Figure(f"CPU a token, answers of {LONG}: MingChat", results.cost("mingchat", LONG), "µs"),
        Figure(f"ratio, answers of {LONG}", results.ratio(LONG), "×", 1.5),
        Figure("first token later than direct, median", middle(ours) - middle(direct), "ms", 6.0),
        Figure("first token later than direct, 95th percentile", p95(ours) - p95(direct), "ms", 15.0),
        Figure(f"a program's CPU a token, answers of {SHORT}: ratio", results.ratio(SHORT, "gateway"), "×", 2.0),
        Figure(f"a program's CPU a token, answers of {LONG}: ratio", results.ratio(LONG, "gateway"), "×", 1.3),
        Figure("a program's first token later than direct, median", middle(program) - middle(direct), "ms", 5.0),
        Figure("a program's first token later than direct, 99th percentile", p99(program) - p99(direct), "ms", 25.0),
        Figure(f"answers lost of {streams} begun at once, all rounds", lost, "", 0),
        Figure("first token of those, 95th percentile", p95([t for b in bursts for t in b.load.first_token]), "ms"),
        Figure("answers lost or wrong under steady load", faults, "", 0),
        Figure("ledger apart from the provider's own count", apart, "requests and tokens", 0),
        Figure("a small write until the disk has it, median", results.disk, "ms"),
        Figure("memory of the process tree (PSS), most seen", _most_memory(results), "MB", 140.0),
        Figure("processor used by others meanwhile, most seen", max(m.others for m in steady) * 100, "%"),
        *_beside(results, "with Redis to without", "shared", "mingchat"),
        *_beside(results, "now to the earlier revision", "mingchat", "earlier"),
    ]


def _beside(results: Results, name: str, server: str, other: str) -> list[Figure]:
    """What a token costs with one server to what it costs with another, where both were measured."""
    return [
        Figure(f"{name}, answers of {tokens}", results.ratio(tokens, server, other), "×", 1.33)
        for tokens in (SHORT, LONG)
        if {(server, tokens), (other, tokens)} <= results.steady.keys()
    ]


def middle(times: list[float]) -> float:
    """The median; endless where nothing arrived."""
    return median(times) if times else math.inf


def p95(times: list[float]) -> float:
    """The 95th percentile; endless where next to nothing arrived."""
    return quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else math.inf


def p99(times: list[float]) -> float:
    """The 99th percentile; endless where next to nothing arrived."""
    return quantiles(times, n=100, method="inclusive")[-1] if len(times) > 1 else math.inf


def markdown(results: Results) -> str:
    """The figures as a table, the faults below it."""
    title = f"{results.streams} streams of {results.rate:g} tokens/s, one worker, rounds: {len(results.bursts)}"
    lines = [title, "", "| figure | value | target |", "|---|---:|---|"]
    for figure in figures(results):
        limit = "" if figure.limit is None else f"≤ {figure.limit:g} {'**missed**' if figure.is_missed else 'met'}"
        lines.append(f"| {figure.name} | {figure.value:.4g} {figure.unit} | {limit} |")
    return "\n".join([*lines, *_faults(results), *_disturbed(results)])


def summary(results: Results) -> dict[str, object]:
    """The figures, and what each round gave, for machines."""
    return {
        "streams": results.streams,
        "tokens_per_second": results.rate,
        "figures": [
            {"name": f.name, "value": f.value, "unit": f.unit, "limit": f.limit, "missed": f.is_missed}
            for f in figures(results)
        ],
        "rounds": {
            f"{server}, answers of {tokens}": [
                {
                    "microseconds_per_token": measured.microseconds_per_token,
                    "tokens": measured.tokens,
                    "seconds": measured.seconds,
                    "pss_megabytes": measured.pss,
                    "others": measured.others,
                    "tokens_per_event": measured.load.tokens / max(measured.load.events, 1),
                    "first_token_ms": _spread(measured.load.first_token),
                    "first_hop_ms": _spread(measured.load.first_hop),
                }
                for measured in rounds
            ]
            for (server, tokens), rounds in results.steady.items()
        },
        "ledgers": [{"booked": book.booked, "sent": book.sent} for book in results.ledgers],
    }


def _spread(times: list[float]) -> dict[str, float]:
    return {"median": middle(times), "p95": p95(times), "p99": p99(times)}


def _most_memory(results: Results) -> float:
    doors = ("mingchat", "gateway")
    steady = [m.pss for door in doors for tokens in (SHORT, LONG) for m in results.steady[door, tokens]]
    return max([*steady, *(burst.pss for burst in results.bursts)])


def _disturbed(results: Results) -> list[str]:
    loads = [measured for rounds in results.steady.values() for measured in rounds]
    worst = max(measured.others for measured in loads)
    if worst < BUSY:
        return []
    return ["", f"**The machine was busy**: others used {worst:.0%} of a processor. Times mean little, ratios less."]


def _faults(results: Results) -> list[str]:
    loads = [(server, m.load) for (server, _), rounds in results.steady.items() for m in rounds]
    loads += [("mingchat, burst", burst.load) for burst in results.bursts]
    told = [f"- {server}: {count} × {fault}" for server, load in loads for fault, count in load.faults.items()]
    return ["", "Faults:", *told] if told else []
