"""What a process and its children cost, from /proc."""

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended since
                found += map(int, children.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of the tree since it began, its threads and the kernel's work for it included."""
    return sum(_ticks(member) for member in tree(pid)) / _TICKS


def running_milliseconds(pid: int) -> float:
    """Processor time of the tree's living threads, finer than `cpu_seconds`: for what takes a moment."""
    nanoseconds = 0
    for member in tree(pid):
        for thread in Path(f"/proc/{member}/task").glob("*/schedstat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                nanoseconds += int(thread.read_text().split()[0])
    return nanoseconds / 1e6


def machine_cpu_seconds() -> float:
    """Processor time that all processes of the machine have used since it started."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def pss_megabytes(pid: int) -> float:
    """Memory of the tree; what processes share is counted once, in shares."""
    return sum(_pss_kilobytes(member) for member in tree(pid)) / 1024


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime, stime


def _pss_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
