"""How long the log of programs' requests takes: ``python -m bench.requests`` (or ``make bench-requests``).

A million rows of 40 people with two tokens each, of which one has four in ten, on SQLite and on MariaDB: what writing a
row costs, how much room they take, and how long the first page of every combination of up to three filters takes, the
quickest of three times. Status 1 where one takes longer than half a second.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, product
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from sqlalchemy import text

from bench.search import database_url
from flask_app import config, database
from flask_app.config import Config
from flask_app.database import new_id, reading, utc_now
from flask_app.models import User
from flask_app.services.gateway import request_log, request_search
from flask_app.services.gateway.request_search import Filter
from flask_app.services.usage.stats_service import DateRange
from tests.support import storage
from tests.support.requests import row

ROWS, PEOPLE, TIMES, MOST_MILLISECONDS, MOST_FILTERS = 1_000_000, 40, 3, 500, 3
SPREAD = timedelta(days=29)
SINGLE = 400  # rows that are written one by one
ENDS: list[tuple[float, dict[str, Any]]] = [
    (0.10, {"status": 429, "error_code": "rate_limit_exceeded", "attempts": 0, "attempt_id": None}),
    (0.03, {"status": 404, "error_code": "model_not_found", "attempts": 0, "attempt_id": None}),
    (0.02, {"status": 502, "error_code": "upstream_failed"}),
    (0.03, {"status": 200, "error_code": "left"}),
    (0.00001, {"status": 503, "error_code": "restarting"}),
    (0.81999, {}),
]
MODELS = (*["deepseek-flash"] * 8, "deepseek-v4-pro", None)
SIZES = {
    "sqlite": "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%program_requests%'",
    "mysql": "SELECT data_length + index_length FROM information_schema.tables"
    " WHERE table_schema = database() AND table_name = 'program_requests'",
}


@dataclass(frozen=True)
class Cast:
    """Who asks: pairs of a person and a token; the first has four in ten."""

    tokens: list[tuple[str, str]]

    def draw(self, random: Random) -> tuple[str, str]:
        return self.tokens[0] if random.random() < 0.4 else random.choice(self.tokens)


def main() -> None:
    """Print a table; status 1 where something took too long."""
    parser = argparse.ArgumentParser(prog="bench.requests", description="How long the log of requests takes.")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], help="only on this one")
    arguments = parser.parse_args()
    slow = False
    for name in [arguments.database] if arguments.database else ["sqlite", "mariadb"]:
        with tempfile.TemporaryDirectory() as folder, database_url(name, Path(folder)) as url:
            slow |= _measure(name, url, Path(folder), arguments.rows)
            database.disconnect()
    sys.exit(slow)


def _measure(name: str, url: str, folder: Path, rows: int) -> bool:
    storage.migrate(url)
    config.install(Config(instance_dir=folder, secret_key="k" * 40, encryption_key="e" * 40, database_url=url))
    database.connect(url)
    cast = Cast([(person, new_id()) for person in [new_id() for _ in range(PEOPLE)] for _ in range(2)])
    alone = _microseconds(_rows(cast, SINGLE, seed=0), 1)
    print(f"{name}: a row in a transaction of its own takes {alone:.0f} µs of this process", flush=True)
    together = _microseconds(_rows(cast, rows, seed=1), request_log.MOST_AT_ONCE)
    print(f"{name}: one of {request_log.MOST_AT_ONCE} {together:.0f} µs; {_bytes() / rows:.0f} bytes a row", flush=True)
    taken = sorted(_pages(cast), key=lambda each: -each[0])
    print(f"{name}: {len(taken)} searches, {median(ms for ms, _ in taken):.1f} ms in the median; the slowest:")
    for milliseconds, wanted in taken[:5]:
        print(f"  {milliseconds:6.0f} ms  {wanted}", flush=True)
    return taken[0][0] > MOST_MILLISECONDS


def _rows(cast: Cast, count: int, *, seed: int) -> Iterator[dict[str, Any]]:
    random, now = Random(seed), utc_now()
    for number in range(count):
        moment = now - SPREAD * (1 - number / count)
        person, token = cast.draw(random)
        (ended,) = random.choices([end for _, end in ENDS], [share for share, _ in ENDS])
        named = {"id": new_id(moment), "created_at": moment, "user_id": person, "token_id": token}
        yield row(**named, model=random.choice(MODELS), **ended)


def _microseconds(rows: Iterator[dict[str, Any]], at_once: int) -> float:
    """Of the processor, for each row."""
    spent, count = 0.0, 0
    while batch := list(islice(rows, at_once)):
        began = time.process_time()
        request_log.written(batch)
        spent, count = spent + time.process_time() - began, count + len(batch)
    return spent / count * 1e6


def _bytes() -> int:
    with reading() as session:
        dialect = session.get_bind().dialect.name.replace("mariadb", "mysql")
        if dialect == "mysql":
            session.execute(text("ANALYZE TABLE program_requests"))
        return int(session.scalar(text(SIZES[dialect])) or 0)


def _pages(cast: Cast) -> Iterator[tuple[float, str]]:
    """Milliseconds of each search, and what it was for."""
    reader, today = User(id="reader", username="reader", timezone="UTC"), utc_now().date()
    few = cast.tokens[-1]
    choices: dict[str, list[Any]] = {
        "user": [None, cast.tokens[0][0], few[0], "nobody"],
        "token": [None, cast.tokens[0][1], few[1]],
        "model": [None, "deepseek-flash", "deepseek-v4-pro", "gpt-0"],
        "status": [None, *request_search.STATUS_CLASSES],
        "error": [None, "rate_limit_exceeded", "left", "restarting", "nothing"],
        "dates": [None, DateRange(_before(today, 20), _before(today, 19)), DateRange(None, _before(today, 27))],
    }
    for drawn in product(*choices.values()):
        wanted = {name: value for name, value in zip(choices, drawn, strict=True) if value is not None}
        if len(wanted) <= MOST_FILTERS:
            yield min(_milliseconds(reader, wanted) for _ in range(TIMES)), str(wanted)


def _milliseconds(reader: User, wanted: dict[str, Any]) -> float:
    others = {name: value for name, value in wanted.items() if name != "user"}
    began = time.perf_counter()
    request_search.search(reader, Filter(**others), user_id=wanted.get("user"))
    return (time.perf_counter() - began) * 1000


def _before(today: date, days: int) -> date:
    return today - timedelta(days=days)


if __name__ == "__main__":
    main()
