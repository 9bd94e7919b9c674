"""What became of reads that were cut off, in a process of its own: gevent changes a whole process."""

import json
import subprocess
import sys
from typing import Any


def counts(kind: str, url: str, *options: str) -> dict[str, Any]:
    """What `killed_calls` counted."""
    command = [sys.executable, "-m", "tests.support.killed_calls", kind, url, *options]
    ran = subprocess.run(command, capture_output=True, check=True, timeout=600)
    counted: dict[str, Any] = json.loads(ran.stdout)
    return counted


def assert_nobody_got_anothers(counted: dict[str, Any]) -> None:
    """Thousands were cut, none crossed; the pool serves as before and lost no connection."""
    assert (counted["crossed"], counted["failed"]) == (0, {})
    assert counted["killed"] > 200
    assert counted["timed_out"] > 200
    assert counted["right"] > 200
    assert counted["recovered"] == 300
    assert (counted["in_use"], counted["open"]) == (0, 0)
