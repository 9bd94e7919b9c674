"""Which processes serve and what their upkeep did: each tells once a round, and an administrator's page shows it."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.database import in_writing, reading, table_of, utc_now
from flask_app.models import ServerProcess
from flask_app.services.ledger import journal
from flask_app.services.operations import disk
from flask_app.services.runs import run_service

SILENT = timedelta(minutes=5)  # several rounds
FORGOTTEN = timedelta(days=1)
MOST = 500  # of a page

_processes = table_of(ServerProcess)
_AGAIN = update(_processes).where(_processes.c.id == bindparam("own"))
_FORGET = delete(_processes).where(_processes.c.seen_at < bindparam("before"))
_began = utc_now()


@dataclass(frozen=True, slots=True)
class Ran:
    """When a job of the upkeep ended, and whether it failed."""

    at: datetime
    failed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """`is_silent`: it has not told for a while. It was killed, or its database does not hear it."""

    row: ServerProcess
    is_silent: bool
    jobs: dict[str, Ran]

    @property
    def serves(self) -> bool:
        return self.row.ended_at is None


def tell(jobs: Mapping[str, Ran]) -> None:
    """Say that this process serves, and how its `jobs` went. Those that have been silent for a day are forgotten."""
    now = utc_now()
    told = {
        "seen_at": now,
        "free_bytes": disk.free_bytes(config.current().instance_dir),
        "waiting": len(journal.waiting()),
        "jobs": json.dumps({name: [ran.at.isoformat(), ran.failed] for name, ran in jobs.items()}),
    }

    def work(connection: Connection) -> None:
        connection.execute(_FORGET, {"before": now - FORGOTTEN})
        if not connection.execute(_AGAIN.values(**told), {"own": run_service.WORKER}).rowcount:
            connection.execute(insert(_processes), _own() | told)

    in_writing(work)


def end() -> None:
    """Say that this process serves no more. How its jobs went stays known for as long as they may say it."""
    in_writing(lambda connection: connection.execute(_AGAIN.values(ended_at=utc_now()), {"own": run_service.WORKER}))


def listed() -> list[Seen]:
    """Those that serve, and those that have ended within a day, by machine, those that told last first."""
    silent = utc_now() - SILENT
    with reading() as session:
        query = select(ServerProcess).order_by(ServerProcess.host, ServerProcess.seen_at.desc(), ServerProcess.id)
        rows = session.scalars(query.limit(MOST)).all()
    return [Seen(row, row.seen_at < silent, _jobs(row)) for row in rows]


def latest(seen: Sequence[Seen]) -> dict[str, Ran]:
    """How each job went last, whichever process it was: most are done by one of all."""
    found: dict[str, Ran] = {}
    for name, ran in (job for each in seen for job in each.jobs.items()):
        if name not in found or found[name].at < ran.at:
            found[name] = ran
    return found


def _own() -> dict[str, object]:
    return {
        "id": run_service.WORKER,
        "host": socket.gethostname()[:255],
        "process": os.getpid(),
        "version": config.VERSION,
        "started_at": _began,
    }


def _jobs(row: ServerProcess) -> dict[str, Ran]:
    told = json.loads(row.jobs)
    return {name: Ran(datetime.fromisoformat(at), failed) for name, (at, failed) in told.items()}
