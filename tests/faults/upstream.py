"""What goes wrong at a provider."""

from datetime import datetime
from random import Random

from tests.faults.fault import fault, keep_as
from tests.faults.provider import RETRY_AFTER
from tests.faults.site import Site
from tests.faults.stopwatch import Stopwatch

MEMORY_BYTES = 64 << 20  # as much as a worker may grow by a line of 10 MB that is not kept

KEY = "upstream 401, 402"
BUSY = "upstream 429, 503"
REJECTED = "upstream 400, 422"
SILENT = "connect or first-token time-out"
CUT = "cut in mid-stream, at any byte"
GARBAGE = "garbage, HTML with 200, an error event, a 10 MB line"
SLOW = "drip, stall"
NO_END = "no `[DONE]`, no usage"


MOST_ATTEMPTS = 3  # of four keys
TOTAL_WITHIN = 15 + 3  # UPSTREAM_TOTAL_SECONDS, and what a busy machine may take on top

# What a key is benched for, where nothing of an answer had come.
_BENCHES = {
    "401": "upstream_key_refused",
    "402": "upstream_no_balance",
    "429": "upstream_busy",
    "503": "upstream_overloaded",
    "silence": "upstream_timeout",
    "comments": "upstream_timeout",
    "html": "upstream_garbage",
}


def _rough(row: str, name: str, wish: str, status: str, requests: int, *, weight: int = 2) -> None:
    """An answer asked with this wish ends with `status`, after so many requests to the provider."""

    def happen(site: Site, random: Random) -> None:
        watch = Stopwatch(*(instance.server.workers() for instance in site.instances))
        exchange = site.ask(random.randint(1, 4), words=random.randint(4, 40), rate=200, fault=wish)
        assert exchange.wait() == status, (exchange.status, exchange.refusals)
        assert watch.seconds < TOTAL_WITHIN, (watch.seconds, watch.waited)
        assert len(site.requests(exchange)) == requests
        code = _BENCHES.get(wish.rpartition(":")[2])
        _is_shown(site, code, requests - (status == "complete") if code else 0)

    keep_as(name, row, happen, weight=weight)


def _is_shown(site: Site, code: str | None, keys: int) -> None:
    """The administrator sees which keys rest, and why; one that the provider told a time rests until then."""
    benches = [key["bench"] for key in site.admin.get("/api/admin/keys").json()["keys"] if key["bench"]]
    assert [bench["code"] for bench in benches] == [code] * keys, benches
    if code in {"upstream_busy", "upstream_overloaded"}:
        for bench in benches:
            until, since = (datetime.fromisoformat(bench[name]) for name in ("until", "since"))
            assert round((until - since).total_seconds()) == RETRY_AFTER


for _status in (401, 402, 429, 503):
    _row = KEY if _status in (401, 402) else BUSY
    _rough(_row, f"upstream {_status}, another key", f"first:{_status}", "complete", 2)
    _rough(_row, f"upstream {_status} for all", f"status:{_status}", _BENCHES[str(_status)], MOST_ATTEMPTS)
for _status in (400, 422):
    _rough(REJECTED, f"upstream {_status}", f"status:{_status}", "upstream_rejected", 1)
_rough(SILENT, "no head of a response", "silence", "upstream_timeout", MOST_ATTEMPTS, weight=1)
_rough(SILENT, "keep-alive comments only", "comments", "upstream_timeout", MOST_ATTEMPTS, weight=1)
_rough(CUT, "reset in mid-answer", "reset", "upstream_cut", 1)
_rough(GARBAGE, "garbage in mid-answer", "garbage", "upstream_garbage", 1)
_rough(GARBAGE, "HTML with status 200", "html", "upstream_garbage", MOST_ATTEMPTS)
_rough(GARBAGE, "an error as an event", "error-event", "upstream_failed", 1)
_rough(GARBAGE, "an event named error", "named-error", "upstream_failed", 1)
_rough(SLOW, "stall in mid-answer", "stall", "upstream_timeout", 1, weight=1)
_rough(SLOW, "drip without end", "trickle", "upstream_timeout", 1, weight=1)
_rough(NO_END, "no [DONE]", "no-done", "complete", 1)
_rough(NO_END, "no usage", "no-usage", "complete", 1)
_rough(NO_END, "neither [DONE] nor usage", "no-end", "complete", 1)


@fault(CUT)
def cut_at_any_byte(site: Site, random: Random) -> None:
    exchange = site.ask(random.randint(1, 4), words=20, rate=200, fault=f"cut:{random.randint(0, 7000)}")
    assert exchange.wait() in {"upstream_cut", "complete"}, exchange.status
    assert not exchange.text or len(site.requests(exchange)) == 1, "it was asked again"


@fault(GARBAGE, weight=2)
def a_line_of_ten_megabytes(site: Site, random: Random) -> None:
    workers = [worker for instance in site.instances for worker in instance.server.workers()]
    before = [memory_of(worker) for worker in workers]
    exchange = site.ask(1, words=10, rate=200, fault="huge-line")
    assert exchange.wait() == "upstream_garbage", exchange.status
    grown = [memory_of(worker) - was for worker, was in zip(workers, before, strict=True)]
    assert max(grown) < MEMORY_BYTES, grown


@fault(SILENT, weight=2)
def provider_breaks_connections(site: Site, random: Random) -> None:
    site.rough_line.refuse()
    exchange = site.ask(1, fault="no-done")
    assert exchange.wait() == "upstream_unreachable", exchange.status


@fault(SILENT, weight=1)
def provider_does_not_connect(site: Site, random: Random) -> None:
    site.rough_line.ignore()
    exchange = site.ask(1, fault="no-usage")
    assert exchange.wait() in {"upstream_unreachable", "upstream_timeout"}, exchange.status
    assert not site.requests(exchange)


def memory_of(pid: int) -> int:
    """Bytes that are resident."""
    with open(f"/proc/{pid}/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * 4096
