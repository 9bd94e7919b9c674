"""The settings that are needed before the application can read them, by its rules and in its words."""

import os
import re
from pathlib import Path

NUMBER = re.compile(r"[0-9]{1,18}")
MOST_WORKERS = 256
DAY = 86400
ANY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
NOT_STARTED = "MingChat was not started; the reason is above."
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


def check() -> None:
    """Refuse what cannot stand in the environment as it is now."""
    workers()
    port()


def port() -> int:
    return _whole_number("PORT", 5000, high=65535)


def workers() -> int:
    return _whole_number("WEB_CONCURRENCY", 1, high=MOST_WORKERS)


def answers_may_finish() -> int:
    """For how many seconds answers may go on when the server is asked to end."""
    return _whole_number("ANSWERS_MAY_FINISH_SECONDS", 20, high=DAY)


def has_metrics() -> bool:
    """May anybody ask for what is counted?"""
    return bool(_text("METRICS_TOKEN", "") or _text("METRICS_TOKEN_FILE", ""))


def observes() -> bool:
    """Are traces or error reports sent anywhere?"""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "SENTRY_DSN")
    return any(_text(name, "") or _text(f"{name}_FILE", "") for name in names)


def stores_in_buckets() -> bool:
    """Do contents of files go to S3-compatible storage?"""
    url = _text("FILES_URL", "")
    if path := _text("FILES_URL_FILE", ""):
        try:
            url = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError):  # the application says what is wrong with it
            return False
    return url.startswith("s3://")


def log_level() -> str:
    """How much the web server says; raises SystemExit with a sentence that names the setting."""
    raw = _text("GUNICORN_LOG_LEVEL", "warning")
    if raw not in LOG_LEVELS:
        raise SystemExit(f"A setting is wrong: GUNICORN_LOG_LEVEL must be one of {' '.join(LOG_LEVELS)}, not {raw!r}.")
    return raw


def address() -> str:
    """What to open on this machine."""
    host = _text("HOST", "127.0.0.1")
    if host in ANY_ADDRESS | {"127.0.0.1", "::1"}:
        host = "localhost"
    return f"http://{host}:{port()}"


def reach() -> str | None:
    """What to set for other machines, where the server listens for them and would refuse them all."""
    host = _text("HOST", "127.0.0.1")
    if host.startswith("127.") or host in {"localhost", "::1"} or _text("ALLOWED_HOSTS", ""):
        return None
    address = "the name or address they use" if host in ANY_ADDRESS else host
    return f"Other machines are refused until ALLOWED_HOSTS holds {address} (README: For other people than yourself)."


def _whole_number(name: str, default: int, *, high: int) -> int:
    """From 1 to `high`; raises SystemExit with a sentence that names the setting."""
    raw = _text(name, str(default))
    if not NUMBER.fullmatch(raw) or not 1 <= int(raw) <= high:
        raise SystemExit(f"A setting is wrong: {name} must be a whole number from 1 to {high}, not {raw!r}.")
    return int(raw)


def _text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default
