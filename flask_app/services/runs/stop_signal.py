"""How an answer is ended from another thread."""

import threading
from typing import Protocol

from flask_app.upstream.client import ChatStream
from flask_app.upstream.web_search import SearchCall


class Closable(Protocol):
    """What a call of a tool waits for."""

    def shutdown(self) -> None:
        """End it at once, from another thread: whoever waits for it is woken."""


class StopSignal:
    """Ends an answer from another thread, and what is looked up or called before it: connections close at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stream: ChatStream | None = None
        self._searches: list[SearchCall] = []
        self._tool: Closable | None = None
        self.status: str | None = None
        self.discarded = False  # its conversation is being deleted: that is what its readers are told

    def stop(self, status: str, *, discarded: bool = False) -> None:
        """End the answer with `status`, "stopped", "left" or "interrupted"; the first caller decides which."""
        with self._lock:
            self.status = self.status or status
            self.discarded = self.discarded or discarded
            if self._stream:
                self._stream.shutdown()
            for search in self._searches:
                search.shutdown()
            if self._tool:
                self._tool.shutdown()

    def watch(self, stream: ChatStream) -> None:
        with self._lock:
            self._stream = stream
            if self.status:
                stream.shutdown()

    def watch_search(self, search: SearchCall) -> None:
        with self._lock:
            self._searches.append(search)
            if self.status:
                search.shutdown()

    def watch_tool(self, tool: Closable | None) -> None:
        """None once it has ended."""
        with self._lock:
            self._tool = tool
            if self.status and tool:
                tool.shutdown()
