"""nginx before the two instances, on a port of its own."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template

from tests.support.brokers import wait_until
from tests.support.ports import free_port, is_open

CONFIGURATION = Path(__file__).with_name("nginx.conf")


class Nginx:
    def __init__(self, folder: Path, first: int, second: int) -> None:
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        assert program, "nginx is not installed: `make services` installs what the tests need"
        self.port = free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        written = folder / "nginx.conf"
        values = {"folder": folder, "port": self.port, "first": first, "second": second, "user": user}
        written.write_text(Template(CONFIGURATION.read_text()).substitute(values))
        self._process = subprocess.Popen([program, "-c", str(written), "-e", str(folder / "nginx.log")])
        wait_until(lambda: is_open(self.port))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reload(self) -> None:
        """New worker processes; the old ones end with their last connection."""
        before = self._workers()
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: self._workers() - before)

    def quit(self) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _workers(self) -> set[str]:
        pid = self._process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


@contextmanager
def before(folder: Path, first: int, second: int) -> Iterator[Nginx]:
    nginx = Nginx(folder, first, second)
    try:
        yield nginx
    finally:
        nginx.quit()
