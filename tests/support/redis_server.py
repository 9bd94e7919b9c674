"""A Redis server of a test's own: a free port on loopback, nothing on disk; it can be killed, halted and emptied."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support.ports import free_port

START_SECONDS = 20


class RedisServer:
    """`start`, and after a `kill` the same again on the same port."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is not installed: `make services` installs what the tests need"
        place = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder)
        self._process = subprocess.Popen(
            [program, *place, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "Redis does not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """As when the machine dies: nobody is told, nothing is kept."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        """Unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def halt(self) -> None:
        """It hangs: connections open, and nothing comes."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        with self.client() as client:
            client.flushall()

    def client(self) -> Redis:
        return Redis.from_url(self.url, protocol=2, socket_timeout=60)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisConnectionError:
            return False


@contextmanager
def server() -> Iterator[RedisServer]:
    """A running server, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="redis") as folder:
        running = RedisServer(folder)
        running.start()
        try:
            yield running
        finally:
            running.kill()
