"""One server, or one migration, at a time on an instance with SQLite: a lock on a file in its folder.

The system lets go of it when the last process that holds it has ended, however it ended. Workers share that of their
gunicorn. Windows has no such lock. On MariaDB or MySQL many serve, and who migrates has a lock of the server's
(`migrate.py`).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
NAME = "running.lock"
PATIENCE = 5  # seconds for a server that is just ending, or for a migration that finds nothing to do
UNTOLD = 0.5  # seconds: a server that is just ending needs no words
MIGRATING, SERVING = "migrating", "serving"

_held: list[TextIO] = []  # open until the process ends


def serve() -> None:
    """Hold the lock from now on; raises SystemExit where another server holds it."""
    if _is_sqlite() and (file := _file(_folder())):
        _wait(file, SERVING)
        _held.append(file)


def is_alone() -> bool:
    """Is this the only server of its database? Another folder's lock says nothing of one that lies elsewhere."""
    path = os.environ.get("DATABASE_URL", "").strip().removeprefix("sqlite:///")
    return bool(_held) and (not path or Path(path).resolve().parent == _folder())


@contextmanager
def migration() -> Iterator[None]:
    """Hold the lock meanwhile. Another migration is waited for; raises SystemExit where a server runs."""
    with held(_folder()) if _is_sqlite() else nullcontext():
        yield


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The same of a folder whose database is SQLite. A server that is started meanwhile waits."""
    file = _file(folder)
    if file is None:
        yield
        return
    with file:
        _wait(file, MIGRATING)
        yield


def _folder() -> Path:
    return (ROOT / (os.environ.get("INSTANCE_DIR", "").strip() or "instance")).resolve()


def _file(folder: Path) -> TextIO | None:
    if os.name != "posix":
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (folder / NAME).open("a+")
    except OSError as error:
        raise SystemExit(f"{folder / NAME} cannot be written: {error.strerror}.") from error


def _is_sqlite() -> bool:
    if os.environ.get("DATABASE_URL_FILE"):
        return False  # a secret: it names a server
    return (os.environ.get("DATABASE_URL", "").strip() or "sqlite").startswith("sqlite")


def _wait(file: TextIO, purpose: str) -> None:
    began, told, folder = time.monotonic(), set[bool](), Path(file.name).parent
    while not _taken(file):
        holder, _, process = _note(file).partition(" ")
        is_migration, waited = holder == MIGRATING, time.monotonic() - began
        if not is_migration and waited > PATIENCE:
            raise SystemExit(
                f"MingChat runs on {folder} already (process {process}), and SQLite is for one server at a time. "
                "Stop that one, or give this one another INSTANCE_DIR."
            )
        if is_migration not in told and (is_migration or waited > UNTOLD):
            told.add(is_migration)
            if is_migration:
                print("Another start is preparing the database: waiting for it …", flush=True)
            else:
                print(f"Process {process} serves {folder}: waiting up to {PATIENCE} seconds for its end …", flush=True)
        time.sleep(0.1)
    file.truncate(0)
    file.write(f"{purpose} {os.getpid()}")
    file.flush()


def _taken(file: TextIO) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note(file: TextIO) -> str:
    file.seek(0)
    return file.read()
