"""How the site stands, as JSON."""

from datetime import datetime

from flask_app import config
from flask_app.errors import AppError
from flask_app.services.operations import system_service
from flask_app.services.operations.process_service import Seen
from flask_app.services.operations.system_service import Check
from flask_app.services.providers.key_status_service import KeyStatus
from flask_app.web.bodies import Reply
from flask_app.web.failures import sentence


class CheckReply(Reply):
    """`code` says how it is, such as `backup_never`; `state` is ok, warning or bad."""

    state: str
    code: str
    facts: dict[str, str | int | None]


class ProcessReply(Reply):
    """A process that serves; `silent`: it has not told for five minutes, and may have ended. `free_bytes` is the room
    where its instance folder is.
    """

    id: str
    host: str
    process: int
    version: str
    started_at: datetime
    seen_at: datetime
    silent: bool
    free_bytes: int


class JobReply(Reply):
    """What is done on schedule, by one process of all; `at` is when it ended last."""

    name: str
    at: datetime
    failed: bool


class TroubledKeyReply(Reply):
    """A key that does not work just now; `state` is benched, due or probing, `code` and `message` say why."""

    id: str
    label: str
    provider: str
    state: str
    until: datetime | None
    code: str | None
    message: str | None


class SystemReply(Reply):
    version: str
    folder: str
    checks: list[CheckReply]
    processes: list[ProcessReply]
    jobs: list[JobReply]
    keys: list[TroubledKeyReply]


def system_reply() -> SystemReply:
    found = system_service.looked()
    return SystemReply(
        version=config.VERSION,
        folder=str(config.current().instance_dir),
        checks=[check_reply(each) for each in found.checks],
        processes=[_process(each) for each in found.processes],
        jobs=[JobReply(name=name, at=ran.at, failed=ran.failed) for name, ran in sorted(found.jobs.items())],
        keys=[troubled_reply(each) for each in found.troubled],
    )


def check_reply(check: Check) -> CheckReply:
    return CheckReply(state=check.state, code=check.code, facts=dict(check.facts))


def _process(seen: Seen) -> ProcessReply:
    row = seen.row
    return ProcessReply(
        id=row.id,
        host=row.host,
        process=row.process,
        version=row.version,
        started_at=row.started_at,
        seen_at=row.seen_at,
        silent=seen.is_silent,
        free_bytes=row.free_bytes,
    )


def troubled_reply(status: KeyStatus) -> TroubledKeyReply:
    key = status.key
    code = key.bench_code
    return TroubledKeyReply(
        id=key.id,
        label=key.label,
        provider=key.provider.name,
        state=status.state,
        until=key.benched_until,
        code=code,
        message=sentence(AppError(code)) if code else None,
    )
