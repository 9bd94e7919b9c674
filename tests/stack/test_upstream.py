"""Where the instances are, as shipped, in nginx's own opinion, and that its connections to them are used again."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.stack import front
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.served import Visitor

SHIPPED = (front.SHIPPED / "upstream.conf").read_text()
INSTANCE = "127.0.0.1:5001"
# Each worker of nginx has connections of its own.
CHANGES = {"worker_processes 2;": "worker_processes 1;", "include upstream.conf;": "include tried.conf;"}
REQUESTS = 10


def of_compose(port: int | None = None) -> str:
    """As it is, but for a name that is Docker's, a word that came with nginx 1.27.3, and its port."""
    changes = {"flask-app:5000 resolve": INSTANCE, "listen 5000;": f"listen 127.0.0.1:{port or free_port()};"}
    text = SHIPPED
    for shipped, here in changes.items():
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    return text


TEXT = pytest.mark.parametrize("text", [of_compose(), front.elsewhere()], ids=["compose", "elsewhere"])


@TEXT
def test_it_is_in_order(tmp_path: Path, text: str) -> None:
    assert "upstream mingchat {" in text
    with front.before(tmp_path, [free_port()]) as running:
        (tmp_path / "upstream.conf").write_text(text)
        said = running.check()
        assert "test is successful" in said
        assert "[warn]" not in said
        (tmp_path / "upstream.conf").write_text(text.replace("keepalive 64;", "keepalive;"))
        assert "test failed" in running.check(), "it is this file that was read"


@pytest.mark.security("no-secret-in-an-address")
def test_where_nobody_is_there_what_opens_a_shared_conversation_is_in_no_log(tmp_path: Path) -> None:
    token = "another-token-of-forty-three-characters-0123"
    with front.before(tmp_path, [free_port(), free_port()]) as running:
        visitor = Visitor(running.base_url, tls=running.trusting)
        for path in (f"/s/{token}", f"//s/{token}", f"/%73/{token}", f"/s/{token}/more", "/login"):
            assert visitor.get(path).status == 502
        wait_until(lambda: "/login" in running.error_log)
        assert token not in running.error_log
        assert token not in running.access_log


@pytest.mark.security("no-secret-in-an-address")
def test_on_the_server_itself_the_same_holds_without_tls(tmp_path: Path) -> None:
    port, token = free_port(), "another-token-of-forty-three-characters-0123"
    (tmp_path / "tried.conf").write_text(of_compose(port).replace(INSTANCE, f"127.0.0.1:{free_port()}"))
    with front.before(tmp_path, [free_port()], CHANGES) as running:
        visitor = Visitor(f"http://127.0.0.1:{port}")
        for path, megabytes in (("/api/conversations/import", 8), ("/v1/messages", 16)):
            assert visitor.ask("POST", path, "x" * (megabytes << 20)).status == 502, path
        refused = visitor.ask("POST", "/api/chat", "x" * (2 << 20))
        assert (refused.status, refused.json()["error"]["code"]) == (413, "too_large")
        assert "Strict-Transport-Security" not in refused.headers
        assert visitor.get(f"/s/{token}").status == 502
        assert visitor.get("/metrics").status == 502, "one instance is watched here"
        wait_until(lambda: "/metrics" in running.error_log)
        assert token not in running.error_log


class Instance(ThreadingHTTPServer):
    """Counts its connections."""

    connections = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class Silent(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps a connection until its client closes it

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def counting() -> Iterator[Instance]:
    with Instance(("127.0.0.1", 0), Silent) as instance:
        thread = Thread(target=instance.serve_forever)
        thread.start()
        try:
            yield instance
        finally:
            instance.shutdown()
            thread.join()


@TEXT
def test_requests_share_the_connections_to_an_instance(tmp_path: Path, text: str) -> None:
    with counting() as instance:
        (tmp_path / "tried.conf").write_text(text.replace(INSTANCE, f"127.0.0.1:{instance.server_port}"))
        with front.before(tmp_path, [free_port()], CHANGES) as running:
            visitor = Visitor(running.base_url, tls=running.trusting)
            assert [visitor.get("/").status for _ in range(REQUESTS)] == [200] * REQUESTS
        assert 0 < instance.connections < REQUESTS
