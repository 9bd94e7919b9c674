"""One instance of the server among several: it can be killed, ended and started again on its port."""

import os
import signal
from pathlib import Path
from typing import IO

from tests.support import served
from tests.support.brokers import wait_until
from tests.support.ports import free_port, is_open
from tests.support.served import ROOT, Served

START_SECONDS, END_SECONDS = 60, 45


class Instance:
    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self._settings = settings
        self._log: IO[str] = (folder / "log").open("a")
        self.server = self._launch(ROOT, {})

    @property
    def base_url(self) -> str:
        return self.server.base_url

    @property
    def is_running(self) -> bool:
        return self.server.process.poll() is None

    def wait_until_ready(self) -> None:
        assert served.is_ready(self.server), f"{self.folder / 'log'} says why it does not start"

    def kill(self) -> None:
        """As when the machine dies: gunicorn and its workers at once."""
        self.server.signal(signal.SIGKILL)
        self._ended()

    def kill_worker(self, worker: int = 0) -> None:
        """gunicorn starts another one."""
        os.kill(self.server.workers()[worker], signal.SIGKILL)

    def halt(self) -> None:
        """It hangs: connections stay open, and nothing comes."""
        self.server.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.server.signal(signal.SIGCONT)

    def end(self) -> None:
        """As a new version asks for it: what is being answered may finish."""
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

    def _launch(self, root: Path, settings: dict[str, str]) -> Served:
        return served.launch(self.folder, self.port, self._settings | settings, self._log, root)

    def _ended(self) -> None:
        self.server.process.wait(END_SECONDS)
        if self.server.process.stdout:
            self.server.process.stdout.close()
