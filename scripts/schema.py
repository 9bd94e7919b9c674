"""Is the database at the newest schema? Asked without loading the application, so that a start is quick."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ROOT / "migrations" / "versions"


def check() -> None:
    """Refuse to serve an SQLite database that has not been made."""
    if not _has_server() and _version(_sqlite()) is None:
        raise SystemExit(
            "The database holds no tables yet. `make run` makes them, or: .venv/bin/python -m scripts.migrate"
        )


def is_current() -> bool:
    """True only when nothing is left to migrate; False whenever that cannot be told cheaply."""
    if _has_server():
        return False  # only Alembic can ask it
    return _version(_sqlite()) == newest()


def newest() -> str:
    """The last revision; files are named NUMBER_slug.py and numbered in order."""
    return max(file.name for file in VERSIONS.glob("*.py")).partition("_")[0]


def _has_server() -> bool:
    return bool(os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))


def _sqlite() -> Path:
    return (ROOT / (os.environ.get("INSTANCE_DIR", "").strip() or "instance")).resolve() / "mingchat.db"


def _version(database: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:  # no file, no table: there is something to migrate
        return None
    return str(row[0]) if row else None
