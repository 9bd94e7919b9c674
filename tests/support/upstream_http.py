"""The HTTP server under a scripted provider: connections, requests, and how each one ended."""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from tests.support.upstream_journal import Journal, Outcome, Received
from tests.support.upstream_reply import ClientClosed, Cut, Reply, Stopped

Request = socket.socket | tuple[bytes, socket.socket]  # as socketserver types it


class Script(Protocol):
    """The behaviour of one exchange."""

    def play(self, reply: Reply, request: Received) -> None: ...


class Provider(Protocol):
    """What decides on the behaviour."""

    journal: Journal
    stopping: threading.Event

    def choose(self, request: Received) -> Script: ...

    def charge(self, request: Received, outcome: Outcome) -> None: ...


class Server(ThreadingHTTPServer):
    """One thread a connection; `server_close` waits for them all."""

    daemon_threads = False
    request_queue_size = 512

    def __init__(self, provider: Provider, host: str) -> None:
        super().__init__((host, 0), _Exchange)
        self.provider = provider
        self._open: set[Request] = set()
        self._open_lock = threading.Lock()

    def process_request(self, request: Request, client_address: object) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Request) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Request, client_address: object) -> None:
        """A client that breaks an idle connection is no fault of the provider's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def break_connections(self) -> None:
        with self._open_lock:
            for connection in self._open:
                if isinstance(connection, socket.socket):
                    _shut(connection)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was quicker


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    def _answer(self, body: bytes) -> None:
        provider = self.server.provider
        request = self._understand(body)
        provider.journal.add(request)
        reply = Reply(self.connection, request, provider.stopping)
        outcome: Outcome = "refused"
        try:
            provider.choose(request).play(reply, request)
            outcome = "complete" if request.status == 200 else "refused"
        except ClientClosed:
            outcome = "client_closed"
        except Cut:
            outcome = "cut"
        except Stopped:
            outcome = "stopped"
        finally:
            self.close_connection = outcome not in ("complete", "refused")
            provider.charge(request, outcome)
            provider.journal.finish(request, outcome)

    def _understand(self, body: bytes) -> Received:
        try:
            content = json.loads(body)
        except ValueError:
            content = {}
        path = self.path.partition("?")[0]
        return Received(
            method=self.command,
            target=self.path,
            path=path.removeprefix("/v1").removeprefix("/beta"),
            beta=path.startswith("/beta/"),
            key=self.headers.get("Authorization", "").removeprefix("Bearer ").strip(),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=content if isinstance(content, dict) else {},
        )
