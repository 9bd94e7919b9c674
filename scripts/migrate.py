"""Bring the database of DATABASE_URL (SQLite in instance/ by default) to the newest schema."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from flask_app.config import Config
from flask_app.errors import ConfigError
from scripts import instance_lock, settings_file

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    settings_file.load()
    try:
        config = Config.from_environment()  # its complaints come before those of the lock
        with instance_lock.migration():
            _upgrade(AlembicConfig(ROOT / "alembic.ini"), config.database_url)
    except ConfigError as error:
        raise SystemExit(f"A setting is wrong: {error}.") from None
    except OperationalError as error:
        raise SystemExit(f"The database does not answer: {error.orig}") from None


def _upgrade(alembic: AlembicConfig, url: str) -> None:
    """To the newest schema; one that a newer version has made already stays as it is.

    Migrations only add, so the version before can come back to what they made: after a fault of its machine while the
    others are renewed, or because the new version is taken back.
    """
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    if found and found not in {each.revision for each in ScriptDirectory.from_config(alembic).walk_revisions()}:
        print(
            f"The database's schema is {found}, of a newer version than this one. It stays as it is.", file=sys.stderr
        )
        return
    command.upgrade(alembic, "head")


if __name__ == "__main__":
    main()
