"""A proxy before a server that breaks its connections in every way, the reply to a COMMIT that happened among them."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

COMMIT = b"\x03COMMIT"  # COM_QUERY with its text, as the driver sends it
QUEUE = 512


class Proxy:
    """Passes everything on, until it is told otherwise."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=QUEUE)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._refuses = False
        self._flows, self._hears = threading.Event(), threading.Event()
        self._flows.set()
        self._hears.set()
        self._unheard: list[socket.socket] = []
        self._loses, self._holds = threading.Event(), threading.Event()
        self._delivers = True
        self._meanwhile: Callable[[], object] = lambda: None
        self.lost = threading.Event()

    def lose_the_next_commit(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Its reply is not passed on, and the line breaks, but not before `meanwhile` has been done."""
        self.lost.clear()
        self._meanwhile = meanwhile
        self._loses.set()

    def hang_at_the_next_commit(self, *, delivers: bool) -> None:
        """Nothing comes or goes from there on. Once mended it `delivers` the COMMIT late, or breaks that line."""
        self.lost.clear()
        self._delivers = delivers
        self._holds.set()

    def hang(self) -> None:
        """Connections stay open, and nothing comes or goes."""
        self._flows.clear()

    def ignore(self) -> None:
        """Nobody who connects gets an answer, for the queue of those who wait is full; open connections are broken."""
        self._hears.clear()
        self._break_open()
        self._listener.listen(0)
        in_vain = 0
        while in_vain < 2:  # who was still waiting to be accepted makes room for another
            in_vain = in_vain + 1 if not self._has_room() else 0

    def _has_room(self) -> bool:
        caller = socket.socket()
        caller.settimeout(0.1)
        self._unheard.append(caller)
        return caller.connect_ex(("127.0.0.1", self.port)) == 0

    def refuse(self) -> None:
        """Every connection is broken, the open ones and the new ones."""
        self._refuses = True
        self._break_open()

    def mend(self) -> None:
        """Pass everything on again."""
        self._refuses = False
        self._loses.clear()
        self._holds.clear()
        self._flows.set()
        self._listener.listen(QUEUE)
        self._hears.set()
        while self._unheard:
            self._unheard.pop().close()

    def serve(self) -> None:
        with suppress(OSError):  # the listener was closed: the end
            while True:
                near, _ = self._listener.accept()
                self._hears.wait()
                threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _break_open(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _relay(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(("127.0.0.1", self._server_port)) as far:
            self._open.add(near)
            try:
                with selectors.DefaultSelector() as both:  # select knows no number beyond 1,023
                    both.register(near, selectors.EVENT_READ, near)
                    both.register(far, selectors.EVENT_READ, far)
                    while not self._refuses:
                        readable = [key.data for key, _ in both.select()]
                        self._flows.wait()
                        if not all(self._passed(source, near, far) for source in readable):
                            return
            finally:
                self._open.discard(near)

    def _passed(self, source: socket.socket, near: socket.socket, far: socket.socket) -> bool:
        """Pass on what `source` has to say; False at the end."""
        piece = source.recv(65536)
        if not piece:
            return False
        if source is near and COMMIT in piece and self._holds.is_set():
            self._holds.clear()
            self.hang()
            self.lost.set()
            self._flows.wait()
            if not self._delivers:
                return False
        (far if source is near else near).sendall(piece)
        if source is near and COMMIT in piece and self._loses.is_set():
            self._loses.clear()
            far.recv(65536)  # it is committed
            self._meanwhile()
            self.lost.set()
            return False
        return True


@contextmanager
def before(server_port: int) -> Iterator[Proxy]:
    proxy = Proxy(server_port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
