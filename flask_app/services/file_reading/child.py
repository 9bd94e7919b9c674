"""The process in which a file is read, started by `services/files/reader.py`: the file is its input, seekable, and what
it comes to its output: a line of JSON, then the text, then the picture. Its argument is the language of who reads it.

It is told the way to our modules, and loads none that a server is made of. Once it has what it needs, it can open
nothing any more, but on Windows: whatever a file makes of a library has the file, and what is in this process.
"""

import ctypes
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

MEMORY_BYTES = 768 << 20  # of addresses; the libraries alone take a third
CPU_SECONDS = 20
OUTPUT_BYTES = 32 << 20
NICENESS = 5  # those who are answered come first
_NOT_DUMPABLE, _NO_NEW_PRIVILEGES = (4, 0), (38, 1)  # of Linux's prctl
_CREATE_RULES, _HOLD_TO_RULES, _ASK_VERSION = 444, 446, 1  # of its Landlock, by their numbers
_ROOT = Path(__file__).parents[2]


def main() -> None:
    package = ModuleType("flask_app")
    package.__path__ = [str(_ROOT)]
    sys.modules["flask_app"] = package  # its own __init__ is the server
    sys.path.insert(0, str(_ROOT.parent))
    _limit()
    from flask_app.services.file_reading import reading

    content = sys.stdin.buffer.read()
    reader = reading.reader_of(content, "".join(sys.argv[1:2]))
    _shut()
    try:
        about, parts = reading.told(content, reader)
    except MemoryError:
        about, parts = {"error": "file_unreadable"}, []
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n")
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _limit() -> None:
    """What a file can make it take. Where the machine has no memory left, this process is the one to go."""
    if sys.platform == "win32":
        return
    import resource

    os.nice(NICENESS)
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _bound(kind, most)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _shut() -> None:
    """From here on it opens no file and no connection, begins no process (but as root), and gains no rights.

    Where Landlock is there it also changes nothing by its path, runs no program, and reaches into no other process.
    """
    if sys.platform == "win32":
        return
    import resource

    if sys.platform == "linux":
        system = ctypes.CDLL(None)
        for option, value in (_NOT_DUMPABLE, _NO_NEW_PRIVILEGES):
            system.prctl(option, value, 0, 0, 0)
        _lock(system)
    for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE):
        _bound(kind, 0)  # what is open stays so


def _lock(system: ctypes.CDLL) -> None:
    """Nothing that Landlock knows of is allowed: paths, ports, and signals to others, each from a version of it on."""
    version = system.syscall(_CREATE_RULES, None, 0, _ASK_VERSION)
    if version < 1:
        return
    paths = (1 << (13 if version == 1 else 14 if version == 2 else 15)) - 1
    ports, others = 3 if version >= 4 else 0, 3 if version >= 6 else 0
    length = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = system.syscall(_CREATE_RULES, (ctypes.c_uint64 * 3)(paths, ports, others), length, 0)
    if rules >= 0:
        system.syscall(_HOLD_TO_RULES, rules, 0)


def _bound(kind: int, most: int) -> None:
    import resource

    _, ceiling = resource.getrlimit(kind)
    wanted = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
    resource.setrlimit(kind, (wanted, wanted))


if __name__ == "__main__":
    main()
