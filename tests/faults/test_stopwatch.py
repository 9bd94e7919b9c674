"""The stopwatch sets off what the machine was busy with, and nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.faults.stopwatch import Stopwatch
from tests.support.brokers import wait_until

BUSY, ASLEEP = "while True: pass", "import time; time.sleep(60)"
LONG = 0.1  # seconds


@contextmanager
def on_one_processor(code: str, count: int) -> Iterator[list[int]]:
    """So many processes, once they run."""
    begin = f"import os\nos.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}])\nprint(flush=True)\n{code}"
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", begin], stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout
            process.stdout.readline()
            started.append(process.pid)
        yield started


def test_who_could_go_on_and_had_to_wait_is_excused() -> None:
    with on_one_processor(BUSY, 3) as pids:
        watch = Stopwatch(pids)
        wait_until(lambda: watch.waited > LONG)


def test_who_sleeps_is_not() -> None:
    with on_one_processor(ASLEEP, 1) as asleep, on_one_processor(BUSY, 3) as busy:
        watch, machine = Stopwatch(asleep), Stopwatch(busy)
        wait_until(lambda: machine.waited > 2 * LONG)
        assert watch.waited < machine.waited
