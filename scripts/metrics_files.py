"""Where the workers of one server keep their counts, so that whichever is asked can tell those of all.

The files are as many as there are workers, however often one is replaced: a slot's new worker goes on with them. They
lie in memory where there is such a folder, and go with the server.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

PREFIX = "mingchat-metrics-"
FOLDER, SLOT = "PROMETHEUS_MULTIPROC_DIR", "MINGCHAT_METRICS_SLOT"  # flask_app/metrics.py


def make(parent: Path) -> Path:
    """This process's folder. What servers left that were killed goes."""
    for left in parent.glob(f"{PREFIX}*"):
        if not _lives(left.name.removeprefix(PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


def free_slot(taken: Iterable[int]) -> int:
    """The lowest that no living worker has."""
    used = set(taken)
    return next(slot for slot in range(len(used) + 1) if slot not in used)


def use(folder: Path, slot: int) -> None:
    """Keep this process's counts there."""
    os.environ.update({FOLDER: str(folder), SLOT: str(slot)})


def end(folder: Path, slot: int) -> None:
    """What a worker that is gone was doing is over; what it counted stays."""
    for file in folder.glob(f"gauge_live*_{slot}.db"):
        file.unlink(missing_ok=True)


def _lives(process: str) -> bool:
    return process.isdigit() and Path(f"/proc/{process}").exists()
