"""Bring the database of DATABASE_URL (SQLite in instance/ by default) to the newest schema."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from flask_app.config import Config
from flask_app.errors import ConfigError
from scripts import instance_lock, settings_file

ROOT = Path(__file__).resolve().parent.parent
# Too many connections, no account, no right to connect, a shutdown; and what the client says, which is of the line.
AWAY = {1040, 1044, 1045, 1049, 1053, 1130, *range(2000, 2100)}
_TAKE = text("SELECT GET_LOCK(:name, :seconds)")
_BE_PATIENT = text("SET SESSION wait_timeout = 86400")  # a migration of many rows takes as long as it takes


def main() -> None:
    settings_file.load()
    try:
        config = Config.from_environment()  # its complaints come before those of the lock
        with instance_lock.migration():
            _upgrade(AlembicConfig(ROOT / "alembic.ini"), config.database_url)
    except ConfigError as error:
        raise SystemExit(f"A setting is wrong: {error}.") from None
    except DBAPIError as error:
        raise SystemExit(f"The database does not answer: {error.orig}") from None


def _upgrade(alembic: AlembicConfig, url: str) -> None:
    """To the newest schema; one that a newer version has made already stays as it is.

    Migrations only add, so the version before can come back to what they made: after a fault of its machine while the
    others are renewed, or because the new version is taken back.
    """
    script = ScriptDirectory.from_config(alembic)
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with _alone(engine) as connection:
        found = _revision(connection)
        if found and found not in {each.revision for each in script.walk_revisions()}:
            words = f"The database's schema is {found}, of a newer version than this one. It stays as it is."
            print(words, file=sys.stderr)
            return
        try:
            command.upgrade(alembic, "head")
        except DBAPIError as error:
            if error.connection_invalidated or _number(error) in AWAY:
                raise
            raise SystemExit(_broken_off(script, _revision(connection), error)) from None


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A connection, while which nobody else migrates: a server's instances may be started at once.

    SQLite has the lock of the instance's folder.
    """
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(_BE_PATIENT)
            _wait_for_lock(connection)
        yield connection


def _wait_for_lock(connection: Connection) -> None:
    """The name of a lock is the whole server's, and 64 characters long at most."""
    database = connection.engine.url.database or ""
    name = f"mingchat.{hashlib.sha256(database.encode()).hexdigest()[:40]}"
    if connection.scalar(_TAKE, {"name": name, "seconds": 0}):
        return
    print("Another start is preparing the database: waiting for it …", file=sys.stderr, flush=True)
    while not connection.scalar(_TAKE, {"name": name, "seconds": 10}):
        pass


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _number(error: DBAPIError) -> object:
    return next(iter(getattr(error.orig, "args", ())), None)


def _broken_off(script: ScriptDirectory, found: str | None, error: DBAPIError) -> str:
    """Of which migration it is said: the one after the last that came to its end."""
    name = next(Path(each.path).stem for each in script.walk_revisions() if each.down_revision == found)
    return (
        f"The migration {name} broke off: {error.orig}. Mend that and start again. Only if it then stumbles over"
        ' columns or tables of its own ("duplicate", "already exists"), the backup brings them back, without what came'
        ' since: docs/operations.md says under "Upgrade" how.'
    )


if __name__ == "__main__":
    main()
