"""The process in which a file is read, started by `services/files/reader.py`: the file is its input, seekable, and what
it comes to its output: a line of JSON, then the text, then the picture.

It is told the way to our modules, and loads none that a server is made of.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType

MEMORY_BYTES = 768 << 20  # of addresses; the libraries alone take a third
CPU_SECONDS = 20
OUTPUT_BYTES = 32 << 20
_ROOT = Path(__file__).parents[2]


def main() -> None:
    package = ModuleType("flask_app")
    package.__path__ = [str(_ROOT)]
    sys.modules["flask_app"] = package  # its own __init__ is the server
    sys.path.insert(0, str(_ROOT.parent))
    _limit()
    from flask_app.services.file_reading import reading

    content = sys.stdin.buffer.read()
    try:
        about, parts = reading.told(content)
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

    for kind, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, ceiling = resource.getrlimit(kind)
        wanted = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(kind, (wanted, wanted))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    main()
