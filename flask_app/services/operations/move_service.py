"""Moving to another database, of another kind or on another server: rows out, rows in, compared, and nothing or all."""

from dataclasses import dataclass

from sqlalchemy import Connection, Table
from sqlalchemy.engine import make_url

from flask_app import config, database
from flask_app.database import transaction
from flask_app.errors import Conflict, Invalid
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.transfer import proof, rows, store, totals
from flask_app.transfer.building import building
from flask_app.transfer.manifest import columns_of
from flask_app.transfer.rows import Fingerprint
from flask_app.transfer.store import Store
from flask_app.transfer.totals import Total


@dataclass(frozen=True, slots=True)
class Moved:
    tables: dict[str, Fingerprint]
    ledger: dict[str, Total]


def move(actor: Actor, url: str) -> Moved:
    """Copy the database of the settings to the one at `url`, which nobody has used. The one of the settings stays.

    Raises Invalid("database_url"), Conflict("move_to_itself", "database_not_empty", "database_not_migrated",
    "row_refused", "copy_not_equal").
    """
    if not url.startswith(config.DATABASES):
        raise Invalid("database_url", beginnings=" ".join(config.DATABASES))
    if make_url(url) == make_url(config.current().database_url):
        raise Conflict("move_to_itself")
    with Store(config.current().database_url) as source:
        revision = source.revision()
        if revision not in store.known_revisions():
            raise Conflict("database_not_migrated")
        with building(url, "", replace=False) as target:
            moved = _copied(source, target, revision)
    database.connect(url, reply_seconds=store.PATIENCE_SECONDS)
    with transaction() as session:
        details = {"to": store.shown(url), "rows": sum(each.rows for each in moved.tables.values())}
        audit_service.record(session, actor.user, "database.move", "database", details, actor.address)
    return moved


def _copied(source: Store, target: Store, revision: str) -> Moved:
    tables = source.tables()
    target.prepare(revision)
    there = {str(table.name): table for table in target.tables()}
    proof.same_columns(there, columns_of(tables))
    with source.snapshot() as out, target.filling() as into:
        sent = {str(table.name): _copy(out, into, table, there[table.name]) for table in tables}
        ledger = totals.of_people(out)
    proof.prove(target, there, sent, ledger)
    target.finish(revision)
    return Moved(sent, ledger)


def _copy(out: Connection, into: Connection, table: Table, there: Table) -> Fingerprint:
    sent = Fingerprint()
    columns = [str(column.name) for column in table.columns]
    for batch in rows.batches(out, table):
        rows.write(into, there, columns, batch)
        into.commit()
        sent.add(batch)
    return sent
