"""Time zones of the tests' own, whose clocks change when a test wants it."""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

NAME = "Faults/Now"
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Zone:
    """`folder` is what PYTHONTZPATH names for a process that knows the zone."""

    name: str
    folder: Path
    _info: ZoneInfo

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self._info).date()


def next_quarter(moment: datetime) -> datetime:
    """The quarter-hour that begins after the next minute, and not UTC's own midnight."""
    soon = moment + timedelta(minutes=1)
    found = soon - (soon - datetime.min.replace(tzinfo=UTC)) % QUARTER + QUARTER
    return found if found.hour or found.minute else found + QUARTER


def made(folder: Path, midnight: datetime, hours: int) -> Zone:
    """A zone in which a day ends at `midnight`, and the clocks go `hours` on in that moment."""
    program = shutil.which("zic") or shutil.which("zic", path="/usr/sbin")
    assert program, "zic, which comes with the C library, is not installed"
    folder.mkdir(exist_ok=True)
    passed = timedelta(hours=midnight.hour, minutes=midnight.minute)
    before = -passed if hours > 1 or passed <= DAY / 2 else DAY - passed
    rules = folder / "rules"
    rules.write_text(
        f"Zone {NAME} {_offset(before)} - before {midnight:%Y %b %d %H:%M}u\n"
        f"\t{_offset(before + timedelta(hours=hours))} - after\n"
    )
    subprocess.run([program, "-d", str(folder), str(rules)], check=True)
    with (folder / NAME).open("rb") as compiled:
        return Zone(NAME, folder, ZoneInfo.from_file(compiled, key=NAME))


def _offset(ahead: timedelta) -> str:
    minutes = abs(ahead) // timedelta(minutes=1)
    return f"{'-' if ahead < timedelta() else ''}{minutes // 60}:{minutes % 60:02}"
