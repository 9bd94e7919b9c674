"""What `/metrics` says: this instance's counts, and facts of the site that are looked up when it is asked.

Every instance tells the same facts of the site (`mingchat_site_…`): they are compared, never added up.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import structlog
from prometheus_client import Metric, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flask_app import config, metrics
from flask_app.database import fetching, table_of, utc_now
from flask_app.errors import Forbidden, NotFound
from flask_app.models import ApiKey, Reconciliation, Run
from flask_app.services.audit import audit_service
from flask_app.services.ledger import journal
from flask_app.services.operations import certificate_file
from flask_app.services.providers import key_service
from flask_app.streams import broker

_keys, _days, _runs = table_of(ApiKey), table_of(Reconciliation), table_of(Run)
_COUNT = func.count()
_DRIFTS = select(_COUNT).where(_days.c.stands)
_RUNNING = select(_COUNT).where(_runs.c.status == "running")

log = structlog.get_logger()


def check_token(given: str | None) -> None:
    """Raises NotFound where no METRICS_TOKEN is set, and Forbidden for another than that."""
    token = config.current().metrics_token
    if token is None:
        raise NotFound
    if not hmac.compare_digest((given or "").encode(), token.encode()):
        raise Forbidden("metrics_refused")


def exposition() -> bytes:
    """Everything in Prometheus's text form."""
    return metrics.exposition(_Collected(read) for read in (_of_instance, _of_site))


class _Collected(Collector):
    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()


def _of_instance() -> Iterator[Metric]:
    """What any of the instance's workers can say for all of them."""
    yield _gauge("build_info", "Always 1; the label says which version runs.", {(config.VERSION,): 1}, "version")
    yield _gauge("process_resident_memory_bytes", "Memory of the server's processes.", _memory())
    yield _gauge("journal_files", "Settlements that wait on this machine's disk.", {(): len(journal.waiting())})
    yield _gauge("journal_files_aside", "Files that wait for a person to judge.", {(): journal.count_aside()})
    redis: dict[tuple[str, ...], float] = {(): float(not broker().missing())} if config.current().redis_url else {}
    yield _gauge("redis_up", "Does Redis answer? Absent without REDIS_URL.", redis)
    yield _gauge(
        "certificate_expires_timestamp_seconds", "When the certificate ends that nginx is given.", _certificate()
    )


def _of_site() -> Iterator[Metric]:
    """What the database knows. While it is away only that is said."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    try:
        with fetching() as connection:
            found = {
                "keys": _key_states(connection),
                "backup": _last_backup(connection),
                "drift_alarms": {(): connection.scalar(_DRIFTS) or 0},
                "answers_running": {(): connection.scalar(_RUNNING) or 0},
            }
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("site_not_measured", reason=str(getattr(error, "orig", error)))
    yield _gauge("database_up", "Does the database answer?", {(): float(bool(found))})
    yield _gauge("site_keys", "API keys that may be used, by state.", found.get("keys", {}), "state")
    yield _gauge("site_last_backup_timestamp_seconds", "When the last backup was made.", found.get("backup", {}))
    yield _gauge("site_drift_alarms", "Days on which balance and ledger differ.", found.get("drift_alarms", {}))
    yield _gauge("site_answers_running", "Answers that the database calls running.", found.get("answers_running", {}))


def _key_states(connection: Connection) -> dict[tuple[str, ...], float]:
    benched = func.sum(case((_keys.c.benched_until > utc_now(), 1), else_=0))
    count, at_rest = connection.execute(select(_COUNT, benched).where(key_service.usable())).one()
    resting = int(at_rest or 0)
    return {("ready",): count - resting, ("benched",): resting}


def _last_backup(connection: Connection) -> dict[tuple[str, ...], float]:
    moment = audit_service.latest(connection, "backup.make")
    return {} if moment is None else {(): moment.timestamp()}


def _certificate() -> dict[tuple[str, ...], float]:
    """Nothing where this instance sees none; `flask doctor` says what is wrong with one that cannot be read."""
    try:
        ends = certificate_file.ends()
    except (OSError, ValueError):
        return {}
    return {} if ends is None else {(): ends}


def _gauge(name: str, words: str, values: dict[tuple[str, ...], float], *labels: str) -> Metric:
    family = GaugeMetricFamily(f"mingchat_{name}", words, labels=labels)
    for of_labels, value in values.items():
        family.add_metric(of_labels, value)
    return family


def _memory() -> dict[tuple[str, ...], float]:
    """That of the web server and its workers together; nothing where the system does not tell."""
    told = [
        sample.value
        for process in _processes()
        for family in ProcessCollector(pid=lambda process=process: process, registry=None).collect()  # type: ignore[misc]
        for sample in family.samples
        if sample.name == "process_resident_memory_bytes"
    ]
    return {(): sum(told)} if told else {}


def _processes() -> list[int]:
    """This worker, its fellows and their parent, where there is one."""
    parent = os.getppid()
    try:
        fellows = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return [os.getpid()]
    return [parent, *map(int, fellows)]
