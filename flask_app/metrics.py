"""Every counter and histogram of this process, named once, and how they are added up over an instance's workers.

They are moved once a request, an answer or an attempt: never for a token. Labels have few values and name no person.
Where a server has several workers, gunicorn.conf.py gives each a slot, and their values lie in files of one folder, a
set for each slot. What the whole site shares is read when somebody asks: `services/operations/metrics_service.py`.
"""

import os
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
    values,
)
from prometheus_client.registry import Collector

FOLDER, SLOT = "PROMETHEUS_MULTIPROC_DIR", "MINGCHAT_METRICS_SLOT"
MOST_VALUES = 100  # of a label whose values administrators and providers make up; what comes later is OTHER
OTHER = "other"

_IS_SHARED = SLOT in os.environ
if _IS_SHARED:
    _slot = os.environ[SLOT]
    values.ValueClass = values.MultiProcessValue(lambda: _slot)  # type: ignore[no-untyped-call]
disable_created_metrics()  # type: ignore[no-untyped-call]

_registry = CollectorRegistry()
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLOW = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)


def _counter(name: str, words: str, *labels: str) -> Counter:
    return Counter(f"mingchat_{name}", words, labels, registry=_registry)


def _gauge(name: str, words: str, *labels: str) -> Gauge:
    return Gauge(f"mingchat_{name}", words, labels, registry=_registry, multiprocess_mode="livesum")


def _histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(f"mingchat_{name}", words, labels, registry=_registry, buckets=buckets)


REQUESTS = _counter("http_requests_total", "Replies, by route and status.", "method", "route", "status")
REQUEST_SECONDS = _histogram(
    "http_request_duration_seconds", "From a request to the beginning of its reply.", _QUICK, "route"
)
ERRORS = _counter(
    "errors_total", "Replies that said an error, by its code: refusals of limits and budgets too.", "code"
)
READERS = _gauge("readers", "Answers being followed: event streams that are open.")

ANSWERS_RUNNING = _gauge("answers_running", "Answers being made.")
ANSWERS_BEGUN = _counter("answers_begun_total", "Answers begun.")
ANSWERS_ENDED = _counter("answers_ended_total", "Answers ended and settled, by how they ended.", "outcome")
FIRST_TOKEN_SECONDS = _histogram(
    "first_token_seconds", "From an attempt to the first piece of its answer.", _SLOW, "provider"
)
ATTEMPTS = _counter("upstream_attempts_total", "Requests for answers to providers.", "provider", "status")
TOKENS = _counter("tokens_total", "Tokens that this process booked. The kinds do not overlap.", "model", "kind")
SETTLEMENT_SECONDS = _histogram("settlement_seconds", "From an answer's end to the commit that books it.", _QUICK)
SETTLEMENT_FAILURES = _counter("settlement_failures_total", "Settlements that the database did not take at once.")
REAPED = _counter("reaped_total", "What dead workers left and this process ended.", "kind")
STORE_FAILURES = _counter("file_store_failures_total", "Requests to the store of files (FILES_URL) that failed.")

CONNECTIONS = _gauge("database_connections", "Connections to the database in use.")
CONNECTIONS_AWAITED = _gauge("database_connections_awaited", "Threads that wait for a connection or for their turn.")


class Bounded:
    """The first MOST_VALUES different values of a label; later ones are OTHER."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        if value not in self._known:
            if len(self._known) >= MOST_VALUES:
                return OTHER
            self._known.add(value)
        return value


def exposition(collectors: Iterable[Collector]) -> bytes:
    """All of it in Prometheus's text form, with what the collectors find."""
    shown = CollectorRegistry()
    if _IS_SHARED:
        multiprocess.MultiProcessCollector(shown)  # type: ignore[no-untyped-call]
    else:
        shown.register(_registry)
    for collector in collectors:
        shown.register(collector)
    return generate_latest(shown)
