"""How an answer is ended from another thread."""

import threading

from flask_app.upstream.client import ChatStream


class StopSignal:
    """Ends an answer from another thread: the provider's connection closes at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: ChatStream | None = None
        self.status: str | None = None

    def stop(self, status: str) -> None:
        """End the answer with `status`, "stopped", "left" or "interrupted"; the first caller decides which."""
        with self._lock:
            self.status = self.status or status
            if self._stream:
                self._stream.shutdown()

    def watch(self, stream: ChatStream) -> None:
        with self._lock:
            self._stream = stream
            if self.status:
                stream.shutdown()
