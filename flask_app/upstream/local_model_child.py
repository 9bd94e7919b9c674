"""The local model's process as its parent sees it: start, look after, end."""

import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, Self, cast

SERVER = Path(__file__).with_name("local_model_server.py")
# The child is native code that reads model files: it gets none of the application's secrets.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")
ASK_SECONDS = 5.0


class LocalModelUnavailable(Exception):
    """The local model is not installed, or its process did not start; the message says which."""


@dataclass(frozen=True)
class Child:
    """A running process that answers OpenAI's protocol at `address` for whoever knows `api_key`."""

    process: subprocess.Popen[str]
    address: str
    api_key: str

    @classmethod
    def start(cls, model: Path, name: str, *, ready_within: float) -> Self:
        """Returns when it is ready to answer; raises LocalModelUnavailable after `ready_within` seconds."""
        process = _spawn()
        api_key = secrets.token_urlsafe(32)
        try:
            _hand_over(process, {"model_path": str(model), "name": name, "api_key": api_key})
            port = _port(process, ready_within)
        except BaseException:
            _end(process)
            raise
        return cls(process, f"http://127.0.0.1:{port}", api_key)

    def lives(self) -> bool:
        return self.process.poll() is None

    def answers(self) -> bool:
        """Is an answer in the making?"""
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=ASK_SECONDS)
        try:
            connection.request("GET", "/slots", headers={"Authorization": f"Bearer {self.api_key}"})
            slots = json.load(connection.getresponse())
        except (OSError, HTTPException):
            return False  # dead or stuck
        finally:
            connection.close()
        return any(slot["is_processing"] for slot in slots)

    def end(self) -> None:
        _end(self.process)


def _spawn() -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own file, no outside words in the command
        [sys.executable, "-P", str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        start_new_session=True,  # Ctrl+C in a terminal is the server's business; it stops the child itself
    )


def _hand_over(process: subprocess.Popen[str], orders: dict[str, str]) -> None:
    with contextlib.suppress(BrokenPipeError):  # died at once: there will be no port either
        _stdin(process).write(json.dumps(orders) + "\n")
        _stdin(process).flush()


def _port(process: subprocess.Popen[str], within: float) -> int:
    """Wait for the line that says where the child listens."""
    lines: queue.Queue[str] = queue.Queue()
    # Pipes have no time-out on every system; a thread that waits for one line has.
    threading.Thread(target=lambda: lines.put(_stdout(process).readline()), daemon=True).start()
    try:
        line = lines.get(timeout=within)
    except queue.Empty:
        raise LocalModelUnavailable(f"not ready within {within} s") from None
    if not line:
        raise LocalModelUnavailable("its process ended while starting; its own log line says why")
    return int(json.loads(line)["port"])


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()  # it has nothing to save
    process.wait()
    _stdout(process).close()
    with contextlib.suppress(BrokenPipeError):  # it died with a line unread
        _stdin(process).close()


def _stdin(process: subprocess.Popen[str]) -> IO[str]:
    return cast("IO[str]", process.stdin)  # a pipe: see _spawn


def _stdout(process: subprocess.Popen[str]) -> IO[str]:
    return cast("IO[str]", process.stdout)
