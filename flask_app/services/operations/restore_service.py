"""Restoring a backup: into a database that nobody has used, proved equal before anybody may use it, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Table, delete, update

from flask_app import config, database, durable
from flask_app.database import table_of, transaction, utc_now
from flask_app.errors import Invalid
from flask_app.instance_secrets import KEY, OLD_KEY, InstanceSecrets
from flask_app.models import (
    AccessToken,
    IdentitySignIn,
    Invitation,
    LoginSession,
    PasswordLink,
    PendingSignIn,
    ProgramWords,
    Registration,
    Share,
    TokenOrigin,
)
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets.standing_queries import budgets
from flask_app.services.ledger import journal
from flask_app.services.secrets import sealed
from flask_app.services.secrets.sealed import Resealed
from flask_app.services.tokens import token_budget_service
from flask_app.transfer import proof, rows, store, totals
from flask_app.transfer.archive import Reader
from flask_app.transfer.building import building
from flask_app.transfer.faults import Damaged
from flask_app.transfer.manifest import ABOUT, FILES, MANIFEST, ROWS, SECRETS, About, Manifest
from flask_app.transfer.store import Store

SIGNED_IN = tuple(map(table_of, (LoginSession, PendingSignIn, PasswordLink, IdentitySignIn)))
REVOCABLE = tuple(map(table_of, (AccessToken, Invitation)))
registrations = table_of(Registration)
OF_TOKENS = tuple(map(table_of, (TokenOrigin, ProgramWords)))
shares = table_of(Share)

Part = TypeVar("Part")
Members = Iterator[tuple[str, bytes]]


@dataclass(slots=True)
class Restored:
    """What was restored, and what became of the keys.

    `keys_file`: where the backup's keys are now, unless the environment gives them. `secrets`: what was sealed with
    this machine's own ENCRYPTION_KEY instead of the backup's.
    """

    about: About
    manifest: Manifest
    keys_file: Path | None = None
    secrets: Resealed = field(default_factory=Resealed)


def check(reader: Reader) -> Manifest:
    """Read all of it; raises Damaged, WrongPassphrase, Invalid("backup_newer")."""
    members = reader.members()
    _about(members)
    for name, content in members:
        if name == MANIFEST:
            return _manifest(reader, members, content)
    raise Damaged


def restore(actor: Actor, reader: Reader, *, replace: bool = False) -> Restored:
    """Have the database of the settings hold what the backup holds, brought to the newest schema; nobody is signed in.

    `replace`: whatever is there now goes. An SQLite file and the keys are kept aside, the tables of a server are not.
    Raises Conflict("database_not_empty"), Invalid("backup_newer"), Damaged, WrongPassphrase, Unreadable.
    """
    members = reader.members()
    about = _about(members)
    aside = f"before-{utc_now():%Y%m%d-%H%M%S}"
    url = config.current().database_url
    database.disconnect()
    with building(url, aside, replace=replace) as target:
        filling = _Filling(target, about)
        manifest = filling.fill(reader, members)
        target.finish(about.schema)
        with target.snapshot() as connection:
            proof.same(totals.of_people(connection), manifest.ledger, "token_usage")
        done = Restored(about, manifest)
        _sign_everybody_out(target)
        _keep_secrets(target, done, filling.keys, aside if replace else None)
        for name, content in filling.files.items():
            durable.write(config.current().instance_dir / name, content)
    database.connect(url, reply_seconds=store.PATIENCE_SECONDS)
    with transaction() as session:
        details = {"made_at": about.made_at.isoformat(), "schema": about.schema, "rows": manifest.rows}
        audit_service.record(session, actor.user, "backup.restore", "database", details, actor.address)
    return done


class _Filling:
    """The members of a backup on their way into `target`."""

    def __init__(self, target: Store, about: About) -> None:
        self.target, self.about = target, about
        self.files: dict[str, bytes] = {}
        self.keys: dict[str, str] = {}

    def fill(self, reader: Reader, members: Members) -> Manifest:
        """Write all of it, and prove that it is there."""
        self.target.prepare(self.about.schema)
        tables = {table.name: table for table in self.target.tables()}
        proof.same_columns(tables, self.about.tables)
        with self.target.filling() as connection:
            manifest = self._take_all(connection, tables, reader, members)
        proof.prove(self.target, tables, manifest.tables, manifest.ledger)
        return manifest

    def _take_all(self, connection: Connection, tables: dict[str, Table], reader: Reader, members: Members) -> Manifest:
        for name, content in members:
            if name == MANIFEST:
                return _manifest(reader, members, content)
            kind, _, rest = name.partition("/")
            if kind == ROWS and (table := tables.get(rest.partition("/")[0])) is not None:
                rows.write(connection, table, self.about.tables[table.name], content.split(b"\n"))
                connection.commit()
            elif kind == FILES and _is_in_journal(rest):
                self.files[rest] = content
            elif name == SECRETS:
                self.keys = _decoded(content, dict[str, str])
            else:
                raise Damaged
        raise Damaged


def _is_in_journal(path: str) -> bool:
    """Nothing else is written beside the database, whatever an archive says that somebody else has made."""
    folder, *names = PureWindowsPath(path).parts or ("",)  # both kinds of slashes part names
    return folder == journal.FOLDER and bool(names) and ".." not in names


def _about(members: Members) -> About:
    """What comes first."""
    name, content = next(members, ("", b""))
    if name != ABOUT:
        raise Damaged
    about = _decoded(content, About)
    if about.schema not in store.known_revisions():
        raise Invalid("backup_newer", version=about.version, schema=about.schema)
    return about


def _manifest(reader: Reader, members: Members, content: bytes) -> Manifest:
    """What comes last."""
    manifest = _decoded(content, Manifest)
    if manifest.digest != reader.digest or next(members, None) is not None:
        raise Damaged
    return manifest


def _decoded(content: bytes, kind: type[Part]) -> Part:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise Damaged from error


def _sign_everybody_out(target: Store) -> None:
    """Who signed out, or was shut out, after the backup was made does not come in again by it; used links neither.

    Nor do tokens and invitations that were revoked since: all are, and their rows stay, for the ledger and the audit
    log name them. The limits of tokens go, the websites that they name, and the words that were kept of what they
    asked; and whoever waited to be let in asks again. Shared links go, for some may have been ended since.
    """
    with target.filling() as connection:
        for table in SIGNED_IN:
            connection.execute(delete(table))
        for table in REVOCABLE:
            connection.execute(update(table).where(table.c.revoked_at.is_(None)).values(revoked_at=utc_now()))
        connection.execute(delete(budgets).where(budgets.c.scope == token_budget_service.SCOPE))
        for table in (*OF_TOKENS, shares):
            connection.execute(delete(table))
        connection.execute(delete(registrations).where(registrations.c.user_id.is_(None)))
        connection.commit()


def _keep_secrets(target: Store, done: Restored, keys: dict[str, str], aside: str | None) -> None:
    """The backup's keys become this machine's where it makes its own. Otherwise the environment's seal from now on."""
    settings = config.current()
    made = InstanceSecrets(settings.instance_dir)
    if settings.made_secrets:
        if aside:
            durable.write(made.path.with_name(f"secrets.{aside}.json"), made.path.read_bytes())
        names = (*settings.made_secrets, OLD_KEY) if KEY in settings.made_secrets else settings.made_secrets
        made.keep({name: keys[name] for name in names if name in keys})
        done.keys_file = made.path
    if KEY not in settings.made_secrets:
        known = (settings.encryption_key, *(keys[name] for name in (KEY, OLD_KEY) if name in keys))
        with target.filling() as connection:
            done.secrets = sealed.reseal(connection, known)
            connection.commit()
