"""A proxy before a MariaDB that can lose the reply to a COMMIT: it happened, and nobody was told."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COMMIT = b"\x03COMMIT"  # COM_QUERY with its text, as the driver sends it


class LosingProxy:
    """Passes everything on, until it is told to lose."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._loses = threading.Event()
        self.lost = threading.Event()

    def lose_the_next_commit(self) -> None:
        self._loses.set()

    def serve(self) -> None:
        with suppress(OSError):  # the listener was closed: the end
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _relay(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self._server_port)) as far:
            while True:
                readable, _, _ = select.select([near, far], [], [])
                for source in readable:
                    piece = source.recv(65536)
                    if not piece:
                        return
                    (far if source is near else near).sendall(piece)
                    if source is near and COMMIT in piece and self._loses.is_set():
                        far.recv(65536)  # it is committed
                        self._loses.clear()
                        self.lost.set()
                        return


@contextmanager
def losing(server_port: int) -> Iterator[LosingProxy]:
    proxy = LosingProxy(server_port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
