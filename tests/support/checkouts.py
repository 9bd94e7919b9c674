"""The code in another folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import bytecode, environment

CODE = ("flask_app", "scripts", "migrations")
FILES = ("gunicorn.conf.py", "wsgi.py", "alembic.ini", "requirements.txt", "requirements-demo.txt", "Makefile")


@contextmanager
def copied(place: Path) -> Iterator[Path]:
    """A checkout in `place`, without a `.env` and without the environment."""
    place.mkdir()
    for folder in CODE:
        shutil.copytree(environment.ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(environment.ROOT / file, place)
    yield place
    shutil.rmtree(bytecode.folder_of(place), ignore_errors=True)  # not all of them are served
