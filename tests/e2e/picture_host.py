"""A host elsewhere that has pictures, over https, and keeps who asked for them and how."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

from tests.support.certificates import server_of

COLOUR = (200, 30, 90)


class PictureHost(ThreadingHTTPServer):
    """Answers /picture.png, and /to-plain-http by a redirect; `asked` has each request's path and headers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def name(self) -> str:
        return f"localhost:{self.server_port}"


@contextmanager
def picture_host() -> Iterator[PictureHost]:
    host = PictureHost()
    host.socket = server_of("localhost")[0].wrap_socket(host.socket, server_side=True)
    thread = threading.Thread(target=host.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield host
    host.shutdown()
    host.server_close()
    thread.join()


class _Answer(BaseHTTPRequestHandler):
    server: PictureHost

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path == "/to-plain-http":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/picture.png")
            self.end_headers()
            return
        if self.path != "/picture.png":
            self.send_error(404)
            return
        body = io.BytesIO()
        Image.new("RGB", (120, 60), COLOUR).save(body, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(body.tell()))
        self.send_header("Set-Cookie", "seen=1; SameSite=None; Secure; Path=/")
        self.end_headers()
        self.wfile.write(body.getvalue())

    def log_message(self, *args: object) -> None:
        """The host's own list is enough."""
