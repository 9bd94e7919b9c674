"""A site as it was before an upgrade, or stopped for a while: the same server, whose worker has another shell."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EARLIER = b'"version": "0000000000000000"'
_DROPPED = {"accept-encoding", "connection", "content-length", "transfer-encoding", "date", "server"}


class Upgraded(ThreadingHTTPServer):
    """Asks the server for every page. Until `upgrade` its worker is another one's."""

    daemon_threads = True

    def __init__(self, target: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Relay)
        self.target = target
        self.is_earlier = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def upgrade(self) -> None:
        self.is_earlier = False


class _Redirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """The browser follows them itself."""


class _Relay(BaseHTTPRequestHandler):
    server: Upgraded

    def do_GET(self) -> None:
        asked = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
        request = urllib.request.Request(self.server.target + self.path, headers=asked, method=self.command)
        try:
            reply = urllib.request.build_opener(_Redirects).open(request, timeout=30)
        except urllib.error.HTTPError as error:
            reply = error
        with reply:
            body = reply.read()
        if self.path == "/sw.js" and self.server.is_earlier:
            before, _, after = body.partition(b'"version": "')
            body = before + EARLIER + after.partition(b'"')[2]
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in _DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name is the standard library's

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def before_an_upgrade(target: str, port: int = 0) -> Iterator[Upgraded]:
    """On another address, or once more on that of one that has ended."""
    with Upgraded(target, port) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
