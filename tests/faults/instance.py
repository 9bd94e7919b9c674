"""One instance of the server among several: it can be killed, ended and started again on its port."""

import os
import re
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from tests.faults.harm import Harm, Kind
from tests.support import served
from tests.support.brokers import wait_until
from tests.support.ports import free_port, is_open
from tests.support.served import ROOT, Served

END_SECONDS = 45
ANSWERS_MAY_FINISH = 20  # seconds, where no setting says otherwise
_BEGAN = re.compile(r"worker_began worker=(\S+) process=(\d+)$", re.MULTILINE)


class Instance:
    """`harms` is what was ever done to its workers."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        folder.mkdir()
        self.folder = folder
        self.harms: list[Harm] = []
        self._names: dict[int, str] = {}
        self.port = free_port()
        self._settings = settings
        self._log: IO[str] = (folder / "log").open("a")
        self._said = (folder / "log").open()
        self._half_a_line = ""
        self.server = self._launch(ROOT, {})

    @property
    def base_url(self) -> str:
        return self.server.base_url

    @property
    def may_finish(self) -> int:
        """For so many seconds, once it is told to end, its answers go on."""
        return int(self.server.environ.get("ANSWERS_MAY_FINISH_SECONDS", ANSWERS_MAY_FINISH))

    def workers(self) -> dict[int, str]:
        """What its living processes are called in `runs.worker`: each says so in the log before it takes a request."""
        said = self._half_a_line + self._said.read()
        whole, _, self._half_a_line = said.rpartition("\n")
        self._names |= {int(pid): name for name, pid in _BEGAN.findall(whole)}
        living = self.server.workers() if self.is_running else []
        return {pid: self._names[pid] for pid in living if pid in self._names}

    @property
    def is_running(self) -> bool:
        return self.server.process.poll() is None

    def wait_until_ready(self) -> None:
        assert served.is_ready(self.server), self.last_words(20)

    def last_words(self, lines: int) -> str:
        """The last lines of its log, and the status that it ended with: of a signal, its number below zero."""
        status = self.server.process.poll()
        state = "runs" if status is None else f"ended with {status}"
        said = (self.folder / "log").read_text(errors="replace").splitlines()[-lines:]
        return "\n".join([f"It {state}. {self.folder / 'log'} ends:", *said])

    def kill(self) -> None:
        """As when the machine dies: gunicorn and its workers at once."""
        workers = self.workers()
        self._note("killed", workers.values())  # first: a line that breaks at once ends no earlier
        self.server.signal(signal.SIGKILL)
        self._ended()

    def kill_worker(self, worker: int = 0) -> None:
        """gunicorn starts another one."""
        pid, workers = self.server.workers()[worker], self.workers()
        self._note("killed", [workers[pid]] if pid in workers else [])
        os.kill(pid, signal.SIGKILL)

    def halt(self) -> None:
        """It hangs: connections stay open, and nothing comes."""
        self._note("halted", self.workers().values())
        self.server.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.server.signal(signal.SIGCONT)

    def isolated(self) -> None:
        """Say that it is cut off from the database alone, for longer than a lease."""
        self._note("isolated", self.workers().values())

    def end(self) -> None:
        """As a new version asks for it: what is being answered may finish."""
        self._note("ended", self.workers().values(), later=self.may_finish)
        self.server.process.send_signal(signal.SIGTERM)
        self._ended()

    def start_again(self, root: Path = ROOT, /, **settings: str) -> None:
        """Unless it runs; this time with the code at `root`, and `settings` added to its own."""
        if not self.is_running:
            wait_until(lambda: not is_open(self.port))
            self.server = self._launch(root, settings)
            self.wait_until_ready()

    def stop(self) -> None:
        if self.is_running:
            self.server.process.send_signal(signal.SIGINT)
            self._ended()
        self._log.close()
        self._said.close()

    def _note(self, kind: Kind, workers: Iterable[str], *, later: float = 0) -> None:
        self.harms.append(Harm(kind, frozenset(workers), time.monotonic() + later))

    def _launch(self, root: Path, settings: dict[str, str]) -> Served:
        return served.launch(self.folder, self.port, self._settings | settings, self._log, root)

    def _ended(self) -> None:
        self.server.process.wait(END_SECONDS)
        if self.server.process.stdout:
            self.server.process.stdout.close()
