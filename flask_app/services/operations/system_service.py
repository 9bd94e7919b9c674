"""How the site stands, for an administrator's page: what the database and the processes say, and nothing is asked of
others. `flask doctor` asks providers and mail servers too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import text

from flask_app import config
from flask_app.database import fetching, utc_now
from flask_app.files_setting import FilesPlace
from flask_app.services.audit import audit_service
from flask_app.services.files import store_check
from flask_app.services.operations import disk, process_service
from flask_app.services.operations.process_service import Ran, Seen
from flask_app.services.providers import key_status_service
from flask_app.services.providers.key_status_service import KeyStatus
from flask_app.streams import broker

OLD_BACKUP = timedelta(days=3)  # as monitoring/alerts.yml
WORKING = ("ready", "full")
Fact = str | int | None


@dataclass(frozen=True, slots=True)
class Check:
    """`code` says how it is ("backup_old"), `facts` fill its sentence; `state` is ok, warning or bad."""

    state: str
    code: str
    facts: dict[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class System:
    """`jobs` by their names, as they went last on any process; `troubled` are keys that do not work just now."""

    checks: list[Check]
    processes: list[Seen]
    jobs: dict[str, Ran]
    troubled: list[KeyStatus]


def looked() -> System:
    """The same whichever process is asked, as often as it is asked: a few short queries."""
    seen = process_service.listed()
    keys = key_status_service.listed()
    serving = [each for each in seen if each.serves]
    checks = [*_database(), _redis(), _keys(keys), _backup(), *_processes(serving), _files(), _mail()]
    troubled = [each for each in keys if each.state not in {*WORKING, "disabled"}]
    return System(checks, serving, process_service.latest(seen), troubled)


def _database() -> Iterator[Check]:
    with fetching() as connection:
        told = ".".join(map(str, cast("Any", connection.dialect).server_version_info or ()))
        name = connection.dialect.name
    yield Check("ok", "database_ok", {"name": "SQLite" if name == "sqlite" else "MariaDB/MySQL", "version": told})
    yield schema()


def schema() -> Check:
    """Has the database the tables that this version needs?"""
    with fetching() as connection:
        found = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    newest = _newest_schema()
    facts: dict[str, Fact] = {"schema": found, "newest": newest}
    if found == newest:
        return Check("ok", "schema_ok", facts)
    return Check("warning", "schema_newer", facts) if found > newest else Check("bad", "schema_older", facts)


def _newest_schema() -> str:
    """The last migration's; their files are named NUMBER_slug.py and numbered in order."""
    files = (Path(config.ROOT) / "migrations" / "versions").glob("*.py")
    return max(file.name for file in files).partition("_")[0]


def _redis() -> Check:
    if config.current().redis_url is None:
        return Check("ok", "redis_none")
    return Check("bad", "redis_away") if broker().missing() else Check("ok", "redis_ok")


def _keys(keys: Sequence[KeyStatus]) -> Check:
    used = [each for each in keys if each.state != "disabled"]
    working = sum(each.state in WORKING for each in used)
    if not used:
        return Check("warning", "keys_none")
    state = "ok" if working == len(used) else "warning" if working else "bad"
    return Check(state, "keys_ok" if state == "ok" else "keys_rest", {"count": working, "total": len(used)})


def _backup() -> Check:
    with fetching() as connection:
        made = audit_service.latest(connection, "backup.make")
    if made is None:
        return Check("warning", "backup_never")
    return Check("warning" if utc_now() - made > OLD_BACKUP else "ok", "backup_at", {"at": made.isoformat()})


def _processes(seen: Sequence[Seen]) -> Iterator[Check]:
    """What those say that serve: how many there are, of which versions, with how much room, and what waits there."""
    there = [each.row for each in seen if not each.is_silent]
    versions = sorted({row.version for row in there})
    facts: dict[str, Fact] = {"count": len(there), "hosts": len({row.host for row in there})}
    if len(versions) > 1:
        yield Check("warning", "processes_mixed", facts | {"versions": ", ".join(versions)})
    else:
        yield Check("ok", "processes_ok", facts)
    if there:
        least = min(there, key=lambda row: row.free_bytes)
        free = least.free_bytes // disk.MEGABYTE
        state = "bad" if free < disk.NONE else "warning" if free < disk.LITTLE else "ok"
        yield Check(state, "space_ok" if state == "ok" else "space_little", {"megabytes": free, "host": least.host})
    waiting = sum({row.host: row.waiting for row in there}.values())
    yield Check("warning", "journal_waits", {"count": waiting}) if waiting else Check("ok", "journal_empty")


def _files() -> Check:
    """Where what is in files lies, by their rows; `flask doctor` asks the store too."""
    place = config.current().files
    in_database, in_store = store_check.counted()
    facts: dict[str, Fact] = {"in_database": in_database, "in_store": in_store}
    if place is not None:
        return Check("ok", "files_store", facts | {"place": _told(place)})
    return Check("bad", "files_lost", facts) if in_store else Check("ok", "files_database", facts)


def _told(place: FilesPlace) -> str:
    """Without its keys."""
    return f"{place.shown} ({place.endpoint})" if place.endpoint else place.shown


def _mail() -> Check:
    mail = config.current().mail
    return Check("ok", "mail_set_up", {"host": mail.host}) if mail else Check("ok", "mail_none")
