"""A MariaDB server of the test run's own: a folder under /tmp, a free port on loopback, gone afterwards."""

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pymysql  # type: ignore[import-untyped]

from tests.support.ports import free_port

DATABASE = "mingchat"
START_SECONDS = 60
INSTALL_TRIES = 3
LOOK_SECONDS = 0.2


class MariaDB:
    """`start`, and after a `kill` or `stop` the same again on the same port with the same rows.

    `crashes` is how often it ended by a fault of its own while it was supervised.
    """

    def __init__(self, folder: str, *options: str) -> None:
        self._folder, self._options = Path(folder), options
        self._socket, self._port = f"{folder}/m.sock", free_port()
        self.data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self.crashes = 0
        self.url = f"mysql+pymysql://root@127.0.0.1:{self._port}/{DATABASE}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def install(self) -> None:
        """Make the empty database (utf8mb4), and start."""
        self._make_data()
        self.start()
        with pymysql.connect(user="root", unix_socket=self._socket) as connection:
            connection.cursor().execute(f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4")

    def _make_data(self) -> None:
        """Again where it fails: once in a dozen times it does so when another begins in the same moment."""
        options = ("--no-defaults", "--user=root", "--auth-root-authentication-method=normal", "--skip-test-db")
        command = [_program("mariadb-install-db"), *options, f"--datadir={self.data}"]
        said = ""
        for _ in range(INSTALL_TRIES):
            made = subprocess.run(command, check=False, capture_output=True, text=True)
            if made.returncode == 0:
                return
            said = made.stdout + made.stderr
            shutil.rmtree(self.data, ignore_errors=True)
        raise RuntimeError(said)

    def start_again(self) -> None:
        """Unless it runs."""
        with self._starting:
            if self._process is None or self._process.poll() is not None:
                self.start()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """While the block runs it is started again after a segmentation fault, as a system's service manager does."""
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(LOOK_SECONDS):
                if self._process and self._process.poll() == -signal.SIGSEGV:
                    self.crashes += 1
                    self.start_again()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def start(self) -> None:
        log = self._folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(self._command(), stdout=output, stderr=output)
        _wait_for(self._process, self._socket, log)

    def kill(self) -> None:
        """As when the machine dies."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def halt(self) -> None:
        """It hangs: connections open, and nothing comes."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)
        self._process.wait()
        Path(self._socket).unlink(missing_ok=True)

    def _command(self) -> list[str]:
        return [
            _program("mariadbd"),
            "--no-defaults",
            "--user=root",
            f"--datadir={self.data}",
            f"--socket={self._socket}",
            f"--port={self._port}",
            f"--pid-file={self._folder}/m.pid",
            f"--tmpdir={self._folder}",  # a server that starts empties the one it shares with others
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-ssl",  # so that a proxy can read what passes
            "--character-set-server=utf8mb4",
            # What is committed outlives a killed process, if not a machine without power.
            "--innodb-flush-log-at-trx-commit=2",
            *self._options,
        ]


@contextmanager
def running(*options: str, folder: str | None = None) -> Iterator[MariaDB]:
    """A server with an empty database, while the block runs; `options` are those of its command."""
    with nullcontext(folder) if folder else short_folder() as place:
        database = MariaDB(place, *options)
        database.install()
        try:
            yield database
        finally:
            database.resume()
            database.stop()


def short_folder() -> tempfile.TemporaryDirectory[str]:
    """Not pytest's own: a socket's path may have about a hundred characters."""
    return tempfile.TemporaryDirectory(prefix="mdb", ignore_cleanup_errors=True)


@contextmanager
def server() -> Iterator[str]:
    """The URL of an empty database, while the block runs."""
    with running() as database:
        yield database.url


def _wait_for(process: "subprocess.Popen[bytes]", socket_path: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(socket_path) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"MariaDB does not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise RuntimeError(f"{name} is not installed: `make services` installs what the tests need")
    return found
