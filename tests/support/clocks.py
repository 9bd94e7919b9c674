"""A clock for a process that a test sets while it runs. What is measured by the monotonic clock stays as it is."""

from pathlib import Path


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
