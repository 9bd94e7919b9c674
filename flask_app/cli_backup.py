"""`flask backup`, `flask restore` and `flask move`: everything in one file, back again, or into another database."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from flask_app import config
from flask_app.cli_group import Command, moment
from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from scripts import instance_lock

if TYPE_CHECKING:
    from flask_app.services.operations.restore_service import Restored
    from flask_app.transfer.archive import Reader

STANDARD = "-"
MIN_PASSPHRASE = 12


@click.command("backup", cls=Command)
@click.argument("file", required=False)
@click.option(
    "--encrypt", is_flag=True, help="Ask for a passphrase; BACKUP_PASSPHRASE, where it is set, is taken unasked."
)
def backup(file: str | None, *, encrypt: bool) -> None:
    """Write everything into FILE while people go on chatting: database, keys, and what waits in the journal.

    Without FILE it gets a name with the date, in this folder; - is the standard output.
    """
    from flask_app.services.operations import backup_service

    passphrase = _passphrase(confirm=True) if encrypt or config.current().backup_passphrase else None
    place = file or f"mingchat-{utc_now():%Y%m%d-%H%M%S}.{'backup' if passphrase else 'tar.gz'}"
    with _written(place) as out:
        made = backup_service.make(Actor(user=None), out, passphrase)
    where = "the standard output" if place == STANDARD else f"{place} ({Path(place).stat().st_size:,} bytes)"
    _say(f"{made.rows:,} rows of {len(made.tables)} tables in {where}.")
    _say(f"The ledger has {made.entries:,} entries of {len(made.ledger):,} people.")
    if made.running:
        _say(f"{made.running:,} answers were being made: restored, they end as interrupted, counted by estimate.")
    if made.objects:
        _say(f"{made.objects:,} contents of files are not in it, but in {_store()}: that needs a backup of its own.")
    if passphrase:
        _say("It is encrypted. Without the passphrase nobody opens it again, you neither.")
    else:
        _say(
            "It holds SECRET_KEY, ENCRYPTION_KEY, the API keys that they open, and everybody's chats: whoever has the "
            "file has them. Encrypt it (--encrypt), or keep it where nobody else comes."
        )


@click.command("restore", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--replace", is_flag=True, help="Even where the database is in use. What it holds now is gone then.")
def restore(file: str, *, replace: bool) -> None:
    """Fill the empty database of DATABASE_URL from FILE (- is the standard input), and prove that all of it is there.

    Stop the server first. With --replace an SQLite file and the keys of before are kept aside; the tables of a server
    are dropped, once the whole FILE has been read and found good.
    """
    from flask_app.services.operations import restore_service

    if replace and file == STANDARD:
        raise click.UsageError("--replace reads the whole FILE before it touches anything: give it as a file")
    with _nobody_serves():
        if file != STANDARD:
            with _opened(file) as reader:
                restore_service.check(reader)
        with _opened(file) as reader:
            done = restore_service.restore(Actor(user=None), reader, replace=replace)
        _tell(done)


@click.command("move", cls=Command)
@click.option(
    "--to", "url", required=True, help="mysql+pymysql://user:password@host/database; - reads it from the input."
)
def move(url: str) -> None:
    """Copy the database to another one, such as from SQLite to MariaDB or MySQL, and compare every row.

    Stop the server first. The other one must be empty; the present one is not changed.
    """
    from flask_app.services.operations import move_service
    from flask_app.transfer import store

    given = sys.stdin.readline().strip() if url == STANDARD else url
    with _nobody_serves():
        done = move_service.move(Actor(user=None), given)
    rows = sum(each.rows for each in done.tables.values())
    _say(f"Copied {rows:,} rows of {len(done.tables)} tables, and compared each of them.")
    _verify(sum(each.entries for each in done.ledger.values()), len(done.ledger))
    _say(f"To go on there, put it into .env and start: DATABASE_URL={store.shown(given)}")
    _say(f"{store.shown(config.current().database_url)} is as it was: keep it until you are content.")


def _tell(done: "Restored") -> None:
    about, manifest = done.about, done.manifest
    _say(
        f"Restored {manifest.rows:,} rows of {len(manifest.tables)} tables, of {moment(about.made_at)} "
        f"(MingChat {about.version}, schema {about.schema}). Each row is as it was."
    )
    _say("Everybody signs in again; access tokens, shared links and links to choose a password are void.")
    if done.keys_file:
        _say(f"The backup's keys are in {done.keys_file}.")
    if done.secrets.resealed:
        _say(f"{done.secrets.resealed:,} secrets are sealed with this machine's ENCRYPTION_KEY now.")
    if done.secrets.unreadable:
        _say(f"{done.secrets.unreadable:,} secrets cannot be opened with the backup's key either. Enter them anew.")
    if manifest.running:
        _say(f"{manifest.running:,} answers were being made: the server ends them, counted by estimate.")
    if manifest.objects:
        _say(f"{manifest.objects:,} contents of files were not in it, but in a store. {_found_there()}")
    _verify(manifest.entries, len(manifest.ledger))


def _store() -> str:
    place = config.current().files
    return place.shown if place else "a store"


def _found_there() -> str:
    from flask_app.errors import Unavailable
    from flask_app.services.files import store_check

    unseen = "It cannot be looked at: set FILES_URL as it was, then run flask files check."
    if config.current().files is None:
        return unseen
    try:
        missing = len(store_check.look().missing)
    except Unavailable:
        return unseen
    return f"{missing:,} are not in {_store()}: flask files check names them." if missing else f"All are in {_store()}."


def _verify(entries: int, people: int) -> None:
    from flask_app.services.ledger import usage_check_service

    differences = 0
    for finding in usage_check_service.verify():
        _say(f"{finding.what}: {finding.where}")
        differences += 1
    if differences:
        _say(f"{differences:,} differences in the ledger. They were in what came over already.")
        sys.exit(1)
    _say(f"The ledger is equal, in tokens and money: {entries:,} entries of {people:,} people. It is verified.")


@contextmanager
def _written(place: str) -> Iterator[BinaryIO]:
    """A file that is there once it is whole, for its owner alone."""
    if place == STANDARD:
        if sys.stdout.isatty():
            raise click.UsageError("a backup is nothing to read: send it into a file, as in `flask backup - > FILE`")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path, fresh = Path(place), Path(f"{place}.part")
    if path.exists():
        raise click.UsageError(f"{place} exists already")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        fresh.rename(path)
    except OSError as error:
        raise click.ClickException(f"{place} cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _opened(file: str) -> Iterator["Reader"]:
    from flask_app.transfer import archive

    with click.open_file(file, "rb") as opened:
        source = io.BufferedReader(cast("io.RawIOBase", opened))
        passphrase = _passphrase(confirm=False) if archive.is_encrypted(source) else None
        yield archive.Reader(source, passphrase)


def _passphrase(*, confirm: bool) -> str:
    known = config.current().backup_passphrase
    if known is None and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask for the passphrase: set BACKUP_PASSPHRASE")
    found: str = known or click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    if confirm and len(found) < MIN_PASSPHRASE:
        raise click.UsageError(f"a passphrase has {MIN_PASSPHRASE} characters at least")
    return found


@contextmanager
def _nobody_serves() -> Iterator[None]:
    """On SQLite; who serves from another database only their operator knows."""
    settings = config.current()
    is_sqlite = settings.database_url.startswith(config.SQLITE)
    with instance_lock.held(settings.instance_dir) if is_sqlite else nullcontext():
        yield


def _say(sentence: str) -> None:
    """Not where the backup itself may go."""
    click.echo(sentence, err=True)
