"""A clock for a process that a test sets while it runs. What is measured by the monotonic clock stays as it is."""

import time
from datetime import datetime, timedelta
from pathlib import Path

from flask_app.database import fetching, utc_now
from flask_app.services.ledger import shared_clock
from flask_app.services.runs import lease_service


def look_anew() -> None:
    """As a process that has just begun: the machine may have stood still since another test looked at its clocks."""
    lease_service._ahead, lease_service._reaping_from = None, 0.0
    shared_clock._BEGAN, shared_clock._ahead = _beginning(), timedelta()
    with fetching() as connection:
        shared_clock.ask(connection)


def _beginning() -> datetime:
    """Of the monotonic clock, by this process's own, read while nothing kept it from reading both at once."""
    while True:
        before, now, after = time.monotonic(), utc_now(), time.monotonic()
        if after - before < 0.001:
            return now - timedelta(seconds=before)


def faked(file: Path) -> dict[str, str]:
    """What a process is started with, whose clock is as many seconds ahead as `file` says ("+3600")."""
    return {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def set_ahead(file: Path, seconds: int) -> None:
    """In one step: the process never reads half of it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(f"{seconds:+d}")
    fresh.replace(file)


def library() -> str:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "faketime is not installed: `make services` installs what the tests need"
    return str(found[0])
