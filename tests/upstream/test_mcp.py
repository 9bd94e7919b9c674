"""A server of tools, the official one and some that misbehave: what is asked of it, and what is made of its replies."""

import socket
import threading
import time
from typing import Any

import pytest

from flask_app.errors import UpstreamError
from flask_app.upstream.client import Endpoint
from flask_app.upstream.mcp import MODERN, Called, ServerCall
from tests.support.brokers import wait_until
from tests.support.mcp_server import TOKEN, McpServer, tool

WAYS = pytest.mark.parametrize(("path", "protocol"), [("mcp", MODERN), ("older", "2025-11-25")])
SLOW = [("silent", "echo"), ("mcp", "hangs"), ("older", "hangs")]
KNOWN = pytest.mark.parametrize("known", [None, MODERN, "2025-06-18"])


def at(workshop: McpServer, path: str = "mcp", secret: str = "") -> Endpoint:
    return Endpoint(workshop.at(path), secret, True)


def call(workshop: McpServer, name: str = "echo", path: str = "mcp", **options: Any) -> Called:
    made = ServerCall(at(workshop, path), options.pop("seconds", 10), options.pop("known", None))
    parameters = next((each.input_schema for each in workshop.tools if each.name == name), {})
    return made.call(name, {"words": "hello"} | options, parameters)


@WAYS
def test_every_page_of_the_list_is_read(workshop: McpServer, path: str, protocol: str) -> None:
    found = ServerCall(at(workshop, path), 10).tools()
    assert (found.protocol, found.left_out) == (protocol, 0)
    assert [each.name for each in found.tools] == [each.name for each in workshop.tools]
    assert found.tools[0].description == "Says the words again."
    assert '"words"' in found.tools[0].parameters


@WAYS
@KNOWN
def test_a_call_is_made_once_whatever_the_server_spoke_before(
    workshop: McpServer, path: str, protocol: str, known: str | None
) -> None:
    spoken = "2025-11-25" if known == "2025-06-18" else protocol  # it goes on as it began
    assert call(workshop, path=path, known=known) == Called("echo: hello", False, spoken)
    assert workshop.called == [("echo", {"words": "hello"})]


def test_a_server_that_is_known_to_speak_the_newest_is_asked_once(workshop: McpServer) -> None:
    call(workshop, known=MODERN)
    assert len(workshop.asked) == 1


def test_a_session_is_ended_after_the_call(workshop: McpServer) -> None:
    call(workshop, path="older")
    methods = [method for method, _, _ in workshop.asked]
    sessions = [headers.get("mcp-session-id") for _, _, headers in workshop.asked]
    assert methods == ["POST", "POST", "POST", "POST", "DELETE"]
    assert sessions[:2] == [None, None]
    assert sessions[2]
    assert len(set(sessions[2:])) == 1


@WAYS
@pytest.mark.parametrize(
    ("name", "text", "is_error"),
    [
        ("fails", "fails: hello", True),
        ("counts", '{"boats":3}', False),
        ("draws", "Here it is:\n\n[image]", False),
        ("works", "works: hello", False),
        ("named", "named: hello", False),
    ],
)
def test_what_a_tool_says_is_told_as_text(
    workshop: McpServer, path: str, protocol: str, name: str, text: str, is_error: bool
) -> None:
    assert call(workshop, name, path) == Called(text, is_error, protocol)


@pytest.mark.parametrize(("words", "header"), [("hello", "hello"), ("höher\n", "=?base64?aMO2aGVyCg==?=")])
def test_words_that_a_schema_puts_into_a_header_get_there(workshop: McpServer, words: str, header: str) -> None:
    assert call(workshop, "named", words=words).text == f"named: {words}"
    assert workshop.asked[-1][2]["mcp-param-words"] == header


@WAYS
def test_an_error_of_the_server_is_one_of_the_call(workshop: McpServer, path: str, protocol: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        call(workshop, "broken", path)
    assert (caught.value.code, len(workshop.called)) == ("mcp_error", 1), protocol


@pytest.mark.security("key-to-its-own-host")
def test_the_secret_opens_the_server_and_is_told_to_nobody(workshop: McpServer) -> None:
    assert ServerCall(at(workshop, "locked", TOKEN), 10).tools().tools
    with pytest.raises(UpstreamError) as caught:
        ServerCall(at(workshop, "locked", "another-one-than-that"), 10).tools()
    assert (caught.value.code, caught.value.upstream_status) == ("mcp_refused", 401)
    assert "another-one" not in f"{caught.value.detail}{caught.value!r}{at(workshop, 'locked', 'another-one')!r}"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("elsewhere", "mcp_redirects"),
        ("garbage", "mcp_garbage"),
        ("page", "mcp_garbage"),
        ("deep", "mcp_garbage"),
        ("huge", "mcp_too_large"),
        ("dies", "mcp_cut"),
        ("nothing", "mcp_no_endpoint"),
    ],
)
@pytest.mark.security("providers-addresses")
def test_what_a_server_does_wrong_has_a_name(workshop: McpServer, path: str, code: str) -> None:
    for made in (ServerCall(at(workshop, path, TOKEN), 10), ServerCall(at(workshop, path, TOKEN), 10, MODERN)):
        with pytest.raises(UpstreamError) as caught:
            made.call("echo", {}, {})
        assert caught.value.code == code
    assert all(asked == f"/{path}" for _, asked, _ in workshop.asked), "a redirect was followed"


@pytest.mark.security("providers-addresses")
def test_it_does_not_reach_into_this_network(workshop: McpServer) -> None:
    with pytest.raises(UpstreamError) as caught:
        ServerCall(Endpoint(workshop.url, TOKEN), 5).tools()
    assert (caught.value.code, workshop.asked) == ("mcp_address_private", [])


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1:9/mcp", "mcp_unreachable"), ("https://nobody.invalid/mcp", "mcp_unknown_host")],
)
def test_nobody_there_is_told_as_that(url: str, code: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        ServerCall(Endpoint(url, "", True), 5).tools()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (404, {"detail": "Not Found"}, "mcp_no_endpoint"),
        (404, {"error": "not_found"}, "mcp_no_endpoint"),
        (405, {}, "mcp_no_endpoint"),
        (500, {}, "mcp_failed"),
        (403, {"error": "no"}, "mcp_refused"),
    ],
)
def test_what_http_says_of_a_failure_is_told(workshop: McpServer, status: int, said: object, code: str) -> None:
    workshop.replies["/odd"] = (status, said)
    with pytest.raises(UpstreamError) as caught:
        ServerCall(at(workshop, "odd"), 5).tools()
    assert (caught.value.code, caught.value.params) == (code, {"status": status})


@pytest.mark.parametrize(("path", "name"), [*SLOW, ("drips", "echo")])
def test_one_that_takes_too_long_is_left(workshop: McpServer, path: str, name: str) -> None:
    with pytest.raises(UpstreamError) as caught:
        call(workshop, name, path, seconds=0.3)
    assert caught.value.code == "mcp_timeout"
    if path in {"mcp", "older"}:
        wait_until(lambda: len(workshop.left) == len(workshop.called))  # or it is left in the middle of another test


@pytest.mark.parametrize(("path", "name"), SLOW)
def test_a_stop_ends_it_at_once(workshop: McpServer, path: str, name: str) -> None:
    made = ServerCall(at(workshop, path), 60)
    timer = threading.Timer(0.5, made.shutdown)
    timer.start()
    began = time.monotonic()
    with pytest.raises(UpstreamError):
        made.call(name, {}, {})
    assert time.monotonic() - began < 30, "and not after a minute"
    timer.join()
    if path != "silent":
        wait_until(lambda: workshop.left == ["hangs"])


def test_one_that_was_stopped_before_is_not_asked(workshop: McpServer) -> None:
    made = ServerCall(at(workshop, "unasked"), 10)
    made.shutdown()
    with pytest.raises(UpstreamError):
        made.call("echo", {}, {})
    assert "/unasked" not in [path for _, path, _ in workshop.asked], "calls before it may still end at their own paths"


def test_tools_that_cannot_be_offered_are_counted(workshop: McpServer) -> None:
    large = {"words": {"type": "string", "description": "x" * (17 << 10)}}
    workshop.tools = [tool("echo"), tool("echo"), tool("x" * 129), tool("large", properties=large)]
    found = ServerCall(at(workshop), 10).tools()
    assert ([each.name for each in found.tools], found.left_out) == (["echo"], 3)


def test_a_list_without_end_has_one(workshop: McpServer) -> None:
    workshop.tools = [tool(f"tool{number}") for number in range(200)]
    found = ServerCall(at(workshop), 10).tools()
    assert len(found.tools) <= 128


@pytest.mark.parametrize("said", [[{}] * 1_000_000, [[]] * 1_000_000, [0] * 1_000_000])
def test_a_reply_of_very_many_parts_is_not_unpacked(workshop: McpServer, said: Any) -> None:
    workshop.replies["/many"] = (200, {"jsonrpc": "2.0", "id": 1, "result": {"content": said}})
    with pytest.raises(UpstreamError) as caught:
        call(workshop, path="many", known=MODERN)
    assert caught.value.code == "mcp_too_large"


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("said", [[-32601], {"code": -32601}, [[[]]] * 9, "-32601", None])
def test_an_error_of_another_form_is_an_error_of_the_server(workshop: McpServer, status: int, said: Any) -> None:
    error = {"code": said, "message": said}
    workshop.replies["/odd"] = (status, {"jsonrpc": "2.0", "id": 1, "error": error})
    for known in (MODERN, "2025-06-18", None):
        with pytest.raises(UpstreamError) as caught:
            call(workshop, path="odd", known=known)
        assert (caught.value.code, caught.value.detail is None) == ("mcp_error", not isinstance(said, str))


def test_an_end_that_is_slow_is_not_long_waited_for(workshop: McpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_app.upstream.mcp.END_SECONDS", 0.2)
    workshop.is_slow_to_end = True
    began = time.monotonic()
    assert call(workshop, path="older", seconds=30).text == "echo: hello"
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_a_reply_of_no_length_that_does_not_end_took_too_long(kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n ".encode()
    done = threading.Event()

    def serve(listening: socket.socket) -> None:
        with listening.accept()[0] as taken:
            taken.recv(1 << 16)
            taken.sendall(head)
            done.wait(10)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve, args=(listening,))
        server.start()
        endpoint = Endpoint(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp", "", True)
        with pytest.raises(UpstreamError) as caught:
            ServerCall(endpoint, 0.3, MODERN).call("echo", {}, {})
        done.set()
        server.join()
    assert caught.value.code == "mcp_timeout"
