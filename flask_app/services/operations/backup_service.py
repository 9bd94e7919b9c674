"""Backups: the whole database as it is at one moment, the two keys, and the settlements that wait on disk. What files
have in a store (FILES_URL) stays there: the rows say under which keys.

The rows are written by us, one table after the other, out of one snapshot, and not by the database's own tools: so a
backup needs no program beside us, is the same file from SQLite and from MariaDB, goes into either, and is compared row
by row when it comes back.
"""

from pathlib import Path
from typing import BinaryIO

import msgspec
from sqlalchemy import Connection, Table, func, select

from flask_app import config
from flask_app.database import table_of, transaction, utc_now
from flask_app.errors import Conflict
from flask_app.instance_secrets import KEY, OLD_KEY
from flask_app.models import KeptFile, Run
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import journal
from flask_app.services.secrets import sealing
from flask_app.transfer import archive, rows, totals
from flask_app.transfer.archive import Writer
from flask_app.transfer.manifest import ABOUT, FILES, MANIFEST, ROWS, SECRETS, About, Manifest, columns_of
from flask_app.transfer.rows import Fingerprint
from flask_app.transfer.store import Store

_files, _runs = table_of(KeptFile), table_of(Run)


def make(actor: Actor, out: BinaryIO, passphrase: str | None) -> Manifest:
    """Write a backup while people go on chatting; raises Conflict("database_not_migrated", "schema_changed")."""
    settings = config.current()
    with Store(settings.database_url) as store, archive.writing(out, passphrase) as written:
        tables = store.tables()
        schema = _add_about(written, store, tables)
        # Before the snapshot: what is settled meanwhile is settled in it too, and replayed in vain.
        files = _add_files(written, settings.instance_dir)
        keys = sealing.keys()
        manifest = _add_rows(written, store, tables, files, keys)
        if store.revision() != schema:
            raise Conflict("schema_changed")
    with transaction() as session:
        details = {"rows": manifest.rows, "encrypted": passphrase is not None}
        audit_service.record(session, actor.user, "backup.make", "database", details, actor.address)
    return manifest


def _add_about(written: Writer, store: Store, tables: list[Table]) -> str:
    schema = store.revision()
    if schema is None:
        raise Conflict("database_not_migrated")
    about = About(
        version=config.VERSION,
        schema=schema,
        database=store.dialect,
        made_at=utc_now(),
        tables=columns_of(tables),
    )
    written.add(ABOUT, msgspec.json.encode(about))
    return schema


def _add_files(written: Writer, instance: Path) -> int:
    files = [path for path in sorted((instance / journal.FOLDER).rglob("*")) if path.is_file()]
    count = 0
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # settled in this moment
            continue
        written.add(f"{FILES}/{path.relative_to(instance).as_posix()}", content)
        count += 1
    return count


def _add_rows(written: Writer, store: Store, tables: list[Table], files: int, keys: tuple[str, ...]) -> Manifest:
    with store.snapshot() as connection:
        found = {str(table.name): _add_table(written, connection, table) for table in tables}
        _add_secrets(written, keys)
        running = select(func.count()).select_from(_runs).where(_runs.c.status == "running")
        kept = next((each for each in tables if each.name == _files.name and "object_key" in each.columns), None)
        manifest = Manifest(
            tables=found,
            ledger=totals.of_people(connection),
            running=connection.scalar(running) or 0,
            files=files,
            digest=written.digest,
            objects=connection.scalar(select(func.count(kept.c.object_key))) or 0 if kept is not None else 0,
        )
    written.add(MANIFEST, msgspec.json.encode(manifest))
    return manifest


def _add_secrets(written: Writer, before: tuple[str, ...]) -> None:
    """Of a rotation that began or ended while rows were read, both keys."""
    keys = tuple(dict.fromkeys(sealing.keys() + before))
    secrets = {"SECRET_KEY": config.current().secret_key, **dict(zip((KEY, OLD_KEY), keys, strict=False))}
    written.add(SECRETS, msgspec.json.encode(secrets))


def _add_table(written: Writer, connection: Connection, table: Table) -> Fingerprint:
    found = Fingerprint()
    for number, batch in enumerate(rows.batches(connection, table), start=1):
        found.add(batch)
        written.add(f"{ROWS}/{table.name}/{number:06}.jsonl", b"\n".join(batch))
    return found
