"""Two processes of many callers who all act in the same moment: how a test starts them, and what each of them does.

A racer is a module of `tests.support` that is run as `python -m MODULE URL MOMENT CALLERS …`.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flask_app import config, database, engines
from flask_app.config import Config
from tests.support.storage import ROOT
from tests.support.together import at_once

CALLERS = 200
START_SECONDS = 3  # until both processes have loaded the application
LOCK_SECONDS = 100  # however slow the other process is


def raced(racer: str, database_url: str, *arguments: str, callers: int = CALLERS) -> Counter[str]:
    """What two processes, in each of which so many act at once, were answered; what failed is named by its error."""
    command = [sys.executable, "-m", f"tests.support.{racer}", database_url, str(time.time() + START_SECONDS)]
    command += [str(callers), *arguments]
    racers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outcomes: Counter[str] = Counter()
    for each in racers:
        outcomes.update(json.loads(each.communicate(timeout=300)[0]))
    assert outcomes.total() == 2 * callers
    return outcomes


def join(url: str, encryption_key: str = "") -> None:
    """Be a process of the application that has this database."""
    config.install(Config(instance_dir=Path(), secret_key="", encryption_key=encryption_key, database_url=url))
    engines.LOCK_SECONDS = LOCK_SECONDS
    database.connect(url)


def race(moment: str, callers: str, act: Callable[[int], object]) -> None:
    """Have all act once the moment has come, and write how often each thing came of it, as JSON."""
    time.sleep(max(float(moment) - time.time(), 0))
    sys.stdout.write(json.dumps(Counter(map(str, at_once(int(callers), act)))))
