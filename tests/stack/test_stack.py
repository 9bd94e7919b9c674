"""What nginx is there for, asked of the shipped configuration before two real instances."""

import json
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pymysql  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url
from urllib3 import BaseHTTPResponse

from flask_app.web.bodies import MAX_BODY_BYTES
from tests.stack.site import SETTINGS, Stack
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Stall
from tests.support.served import PASSWORD, USERNAME, Visitor

SLOW = Answer(text=" ".join(f"word{number}" for number in range(60)), tokens_per_second=30)
ONCE = (
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-Request-ID",
)
HEADER_SECONDS = 10  # how long nginx waits for a request's head
SLOW_CLIENTS = 1000


def reply(stack: Stack, path: str, **headers: str) -> BaseHTTPResponse:
    visitor = stack.visitor()
    visitor.headers = headers
    return visitor.get(path)


def plain(stack: Stack, path: str) -> BaseHTTPResponse:
    return Visitor(f"http://127.0.0.1:{stack.front.port}", {"Host": "chat.example.org"}).get(path)


def attempts(stack: Stack, request_id: str) -> list[tuple[str, str]]:
    url = make_url(stack.database.url)
    with pymysql.connect(host=url.host, port=url.port, user=url.username, database=url.database) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT address, state FROM proxy_logs WHERE request_id = %s", (request_id,))
        return list(cursor.fetchall())


@contextmanager
def halted(stack: Stack) -> Iterator[None]:
    """While the block runs no instance answers anything."""
    with ExitStack() as halt:
        for instance in stack.instances:
            instance.server.signal(signal.SIGSTOP)
            halt.callback(instance.server.signal, signal.SIGCONT)
        yield


def test_nginx_has_nothing_to_complain_about(stack: Stack) -> None:
    said = stack.front.check()
    assert "test is successful" in said
    assert "[warn]" not in said


def test_http_leads_to_https_with_the_same_address(stack: Stack) -> None:
    led = plain(stack, "/c/abc?x=1&y=%E4%BD%A0")
    assert (led.status, led.headers["Location"]) == (308, "https://chat.example.org/c/abc?x=1&y=%E4%BD%A0")


def test_a_certificate_can_be_asked_for_over_http(stack: Stack) -> None:
    place = stack.front.folder / "acme/.well-known/acme-challenge"
    place.mkdir(parents=True)
    (place / "token").write_text("proof")
    asked = plain(stack, "/.well-known/acme-challenge/token")
    assert (asked.status, asked.data) == (200, b"proof")


@pytest.mark.parametrize(
    ("version", "is_served"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
def test_only_new_tls_is_spoken(stack: Stack, version: ssl.TLSVersion, *, is_served: bool) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    client.set_alpn_protocols(["h2", "http/1.1"])
    with pytest.warns(DeprecationWarning, match="TLSv1_1") if not is_served else ExitStack():
        client.minimum_version = client.maximum_version = version
    with socket.create_connection(("127.0.0.1", stack.front.tls_port)) as line:
        if is_served:
            with client.wrap_socket(line, server_hostname="localhost") as spoken:
                assert spoken.selected_alpn_protocol() == "h2"
        else:
            with pytest.raises(ssl.SSLError):
                client.wrap_socket(line, server_hostname="localhost")


def test_http_3_is_offered_and_carries_streams(stack: Stack) -> None:
    offered = reply(stack, "/login").headers["Alt-Svc"]
    assert offered == f'h3=":{stack.front.tls_port}"; ma=86400'
    stack.upstream.script(SLOW)
    start = next(iter(stack.admin.chat("hello")))[1]
    chain = str(stack.front.folder / "ssl/fullchain.pem")
    cookie = stack.admin.headers["Cookie"]
    url = f"{stack.front.base_url}/api/runs/{start['run_id']}/events"
    command = [
        "curl",
        "--silent",
        "--no-buffer",
        "--http3-only",
        "--cacert",
        chain,
        "--include",
        "--cookie",
        cookie,
        url,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.startswith("HTTP/3 200")
    assert "".join(re.findall(r'^data: \{"text":"(.*)"\}$', said, re.MULTILINE)) == SLOW.text
    wait_until(lambda: '"protocol":"HTTP/3.0"' in stack.front.access_log)  # written when all has been sent


def style(stack: Stack) -> str:
    """The address of a static file."""
    address = re.search(r'/static/[^"]+\.css', reply(stack, "/login").data.decode())
    assert address
    return address[0]


@pytest.mark.security("headers")
def test_security_headers_come_once_and_no_version_is_told(stack: Stack) -> None:
    for path in ("/login", "/frames/picture", "/api/conversations", style(stack), "/static/0/none.css"):
        page = reply(stack, path)
        assert {name: len(page.headers.getlist(name)) for name in ONCE} == dict.fromkeys(ONCE, 1), path
        assert page.headers["Server"] == "nginx"


def test_a_frame_may_stand_in_a_page_and_load_its_scripts(stack: Stack) -> None:
    frame = reply(stack, "/frames/diagram")
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in frame.headers["Content-Security-Policy"]
    for address in re.findall(r'<script src="([^"]+)"', frame.data.decode()):
        assert reply(stack, address).headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_pages_are_compressed(stack: Stack, encoding: str) -> None:
    assert reply(stack, "/login", **{"Accept-Encoding": encoding}).headers["Content-Encoding"] == encoding


def test_static_files_are_kept_and_have_their_own_readers_request_id(stack: Stack) -> None:
    address = style(stack)
    first = reply(stack, address)
    whole = first.data
    assert (first.status, "immutable" in first.headers["Cache-Control"]) == (200, True)
    with halted(stack):
        second = reply(stack, address)
    assert second.data == whole, "nginx has it"
    number = second.headers["X-Request-ID"]
    assert number != first.headers["X-Request-ID"]
    wait_until(lambda: f'"request":"{number}"' in stack.front.access_log)


@pytest.mark.parametrize("port", ["", ":8443"])
def test_the_name_that_was_asked_for_comes_through_with_its_port(stack: Stack, port: str) -> None:
    visitor = stack.visitor()
    visitor.headers = {"Host": f"localhost{port}", "Origin": f"https://localhost{port}"}
    assert visitor.post("/api/login", {"username": USERNAME, "password": PASSWORD}).status == 200
    visitor.headers = {"Host": "localhost:99", "Origin": f"https://localhost{port}"}
    assert visitor.post("/api/login", {"username": USERNAME, "password": PASSWORD}).status == 403


@pytest.mark.security("bodies-bounded")
def test_a_body_that_is_too_large_is_refused(stack: Stack) -> None:
    for size, is_applications_word in ((MAX_BODY_BYTES, True), (MAX_BODY_BYTES + 50_000, True), (3 << 20, False)):
        refused = stack.admin.post("/api/chat", {"message": "x" * size})
        assert (refused.status, refused.json()["error"]["code"]) == (413, "too_large")
        assert ("Referrer-Policy" in refused.headers) == is_applications_word


def test_a_programs_picture_of_some_megabytes_passes(stack: Stack) -> None:
    token = stack.admin.post("/api/tokens", {"name": "pictures"}).json()
    program = stack.visitor()
    program.headers = {"Authorization": f"Bearer {token['secret']}"}
    shown = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 12_000_000}"}}
    content = [shown]
    body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": content}]}
    assert program.post("/v1/chat/completions", body).status == 200
    assert stack.upstream.journal.chats[-1].body["messages"][0]["content"] == [shown]
    content.append(shown)
    refused = program.post("/v1/chat/completions", body)
    assert (refused.status, refused.json()["error"]["code"]) == (413, "too_large")
    assert stack.admin.ask("DELETE", f"/api/tokens/{token['token']['id']}", None).status == 204


def test_a_file_of_twenty_megabytes_passes_and_no_more(stack: Stack) -> None:
    """What is not read needs no long reading: it is of no kind that is known."""
    for size, code in ((20 << 20, "file_kind_unknown"), ((20 << 20) + 1, "file_too_large"), (22 << 20, "too_large")):
        refused = stack.admin.send("/api/files?name=x", b"\0" * size)
        assert refused.json()["error"]["code"] == code
    kept = stack.admin.send("/api/files?name=x.txt", b"words")
    assert (kept.status, kept.json()["kind"]) == (201, "text")


def test_the_first_words_pass_while_the_provider_is_silent(stack: Stack) -> None:
    stack.upstream.script(Stall("first words", seconds=30))
    heard, run_id = "", ""
    asked = time.monotonic()
    for name, data in stack.admin.chat("hello"):
        run_id = data.get("run_id", run_id)
        heard += data["text"] if name == "token" else ""
        if heard == "first words":
            break
    assert time.monotonic() - asked < 15, "long before the provider says more"
    assert stack.admin.post(f"/api/runs/{run_id}/stop", {}).status == 202


def test_the_address_is_nginxs_word_and_the_id_goes_all_the_way(stack: Stack) -> None:
    lie = {"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "of-the-client-itself"}
    visitor = stack.visitor()
    visitor.headers = stack.admin.headers | lie | {"Accept": "application/json"}
    answer = visitor.post("/api/chat", {"message": "hello"})
    assert answer.status == 200
    request_id = answer.headers["X-Request-ID"]
    assert attempts(stack, request_id) == [("127.0.0.1", "settled")]
    wait_until(lambda: request_id in stack.front.access_log)
    lines = [json.loads(line) for line in stack.front.access_log.splitlines()]
    (line,) = [line for line in lines if line["request"] == request_id]
    assert (line["path"], line["address"], line["status"]) == ("/api/chat", "127.0.0.1", 200)


@pytest.mark.security("no-secret-in-an-address")
def test_what_opens_a_shared_conversation_is_not_logged(stack: Stack) -> None:
    token = "a-token-of-forty-three-characters-or-so-0123"
    answer = stack.visitor().get(f"/s/{token}")
    assert answer.status == 404
    request_id = answer.headers["X-Request-ID"]
    wait_until(lambda: request_id in stack.front.access_log)
    (line,) = [line for line in map(json.loads, stack.front.access_log.splitlines()) if line["request"] == request_id]
    assert (line["path"], line["status"]) == ("/s/", 404)
    assert token not in stack.front.access_log


def test_a_reload_breaks_no_stream(stack: Stack) -> None:
    stack.upstream.script(SLOW)
    heard = ""
    for name, data in stack.admin.chat("hello"):
        if name == "token":
            if not heard:
                stack.front.reload()
            heard += data["text"]
    assert (name, heard) == ("done", SLOW.text)


def test_metrics_are_the_instances_own_affair(stack: Stack) -> None:
    bearer = {"Authorization": f"Bearer {SETTINGS['METRICS_TOKEN']}"}
    outside = stack.visitor()
    inside = Visitor(stack.instances[0].server.base_url)
    outside.headers = inside.headers = bearer
    assert outside.get("/metrics").status == 404
    assert b"mingchat_http_requests_total" in inside.get("/metrics").data


@pytest.mark.security("slow-clients")
def test_clients_that_never_end_their_request_are_cut_off_and_keep_nobody_waiting(stack: Stack) -> None:
    with ExitStack() as lines:
        slow = [
            lines.enter_context(socket.create_connection(("127.0.0.1", stack.front.port))) for _ in range(SLOW_CLIENTS)
        ]
        for line in slow:
            line.sendall(b"GET / HTTP/1.1\r\nHost: chat")
        assert stack.visitor().get("/login").status == 200
        deadline = time.monotonic() + HEADER_SECONDS + 30
        for line in slow:
            line.settimeout(max(deadline - time.monotonic(), 0.1))
            with suppress(ConnectionResetError):
                assert line.recv(200) == b"", "the line is closed"
