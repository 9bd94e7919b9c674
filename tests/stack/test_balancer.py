"""nginx behind a balancer, with nginx/examples/http-balancer.conf: whose request it is."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.stack import front
from tests.stack.front import SHIPPED, Front
from tests.support.served import Visitor

EXAMPLE = (SHIPPED / "examples/http-balancer.conf").read_text()
BALANCER = "set_real_ip_from 127.0.0.1;"


class Told(BaseHTTPRequestHandler):
    """An instance that replies with what nginx says of whose request it is."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.headers.get_all("X-Forwarded-For")).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def instance() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Told) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("addition", "told"),
    [(None, "127.0.0.1"), (EXAMPLE, "127.0.0.1"), (f"{EXAMPLE}{BALANCER}", "203.0.113.7")],
    ids=["without", "another's", "ours"],
)
def test_a_persons_address_is_what_the_named_balancer_says(
    tmp_path: Path, instance: int, addition: str | None, told: str
) -> None:
    (tmp_path / "local").mkdir()
    if addition:
        (tmp_path / "local/http-balancer.conf").write_text(addition)
    with front.before(tmp_path, [instance]) as nginx:
        assert asked(nginx, "192.0.2.1, 203.0.113.7") == [told], "what a person says stands before the balancer's word"
        assert "test is successful" in nginx.check()
        assert "[warn]" not in nginx.check()


def asked(nginx: Front, forwarded_for: str) -> object:
    visitor = Visitor(nginx.base_url, {"X-Forwarded-For": forwarded_for}, tls=nginx.trusting)
    return visitor.get("/").json()
