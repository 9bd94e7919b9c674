"""Bring the database of DATABASE_URL (SQLite in instance/ by default) to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy.exc import OperationalError

from flask_app.config import Config, ConfigError
from scripts import instance_lock, settings_file

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    settings_file.load()
    try:
        Config.from_environment()  # its complaints come before those of the lock
        with instance_lock.migration():
            command.upgrade(AlembicConfig(ROOT / "alembic.ini"), "head")
    except ConfigError as error:
        raise SystemExit(f"A setting is wrong: {error}.") from None
    except OperationalError as error:
        raise SystemExit(f"The database does not answer: {error.orig}") from None


if __name__ == "__main__":
    main()
