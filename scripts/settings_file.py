"""The settings in `.env` beside the code. What the environment says already wins."""

import difflib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dotenv

from scripts import settings_reference

FILE = Path(__file__).resolve().parent.parent / ".env"
SKIP = "FLASK_SKIP_DOTENV"  # flask's own word for it: the tests depend on no developer's file

NEAR = 0.75  # as difflib measures it: PROT is as near to PORT
OTHERS = ("COMPOSE_", "OTEL_", "PIP_")  # other programs have settings of these names that are not ours


def load() -> None:
    """Put them into the environment; raises SystemExit where the file cannot be read."""
    if os.environ.get(SKIP) or not FILE.exists():
        return
    try:
        dotenv.load_dotenv(FILE, encoding="utf-8")
    except OSError as error:
        raise SystemExit(f"{FILE} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SystemExit(f"{FILE} cannot be read: it is no text in UTF-8.") from error


def warn() -> None:
    """Say of names in the file that are no setting, and near to one, which may be meant."""
    if os.environ.get(SKIP) or not FILE.exists():
        return
    if misspelt := [f"{name} (is {near} meant?)" for name, near in _misspelt()]:
        print(f"{FILE} sets what is no setting: {', '.join(misspelt)}", file=sys.stderr, flush=True)


def _misspelt() -> Iterator[tuple[str, str]]:
    """Names in the file, each with the setting that it is near to."""
    known = settings_reference.names()
    known |= {f"{name}_FILE" for name in known}
    for name in dotenv.dotenv_values(FILE, encoding="utf-8", interpolate=False).keys() - known:
        if not name.startswith(OTHERS):
            yield from ((name, near) for near in difflib.get_close_matches(name.upper(), known, n=1, cutoff=NEAR))
