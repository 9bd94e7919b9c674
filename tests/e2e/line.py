"""The line between a browser and the server, which a test can cut."""

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Line(socketserver.ThreadingTCPServer):
    """Relays every connection to a port of this machine until it is cut."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.target = port
        self.open: set[socket.socket] = set()
        self.bytes_left: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def cut_after(self, size: int) -> None:
        """Break the connection that has brought so many bytes more, all connections together."""
        self.bytes_left = size

    def brought(self, part: bytes) -> bytes:
        """What of it still comes through."""
        if self.bytes_left is None:
            return part
        part = part[: self.bytes_left]
        self.bytes_left -= len(part)
        return part

    def cut(self) -> None:
        """Break every connection there is; new ones come through."""
        for connection in list(self.open):
            with contextlib.suppress(OSError):  # it ended by itself meanwhile
                connection.shutdown(socket.SHUT_RDWR)


class _Relay(socketserver.BaseRequestHandler):
    server: Line

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.target)) as server_end:
            ends = {self.request: server_end, server_end: self.request}
            self.server.open |= ends.keys()
            try:
                while self._pass_on(ends):
                    pass
            finally:
                self.server.open -= ends.keys()

    def _pass_on(self, ends: dict[socket.socket, socket.socket]) -> bool:
        """Hand on what has come from either end; False when one has closed, or the line breaks."""
        readable, _, _ = select.select(list(ends), [], [])
        for end in readable:
            try:
                part = end.recv(65_536)
                if end is not self.request:
                    part = self.server.brought(part)
                ends[end].sendall(part)
            except OSError:
                return False
            if not part:
                return False
        return True


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """A line to that port of this machine."""
    with Line(port) as line:
        threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield line
        line.cut()
        line.shutdown()
