"""The settings in `.env` beside the code. What the environment says already wins."""

import os
from pathlib import Path

import dotenv

FILE = Path(__file__).resolve().parent.parent / ".env"
SKIP = "FLASK_SKIP_DOTENV"  # flask's own word for it: the tests depend on no developer's file


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
