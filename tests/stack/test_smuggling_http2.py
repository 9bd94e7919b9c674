"""Requests of HTTP/2 that could be told on as something else: refused, or one each, and the next are their own."""

import json
import re
import socket
import ssl
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from tests.stack.site import SETTINGS, Stack
from tests.support import http2, smuggled, smuggled_http2
from tests.support.brokers import wait_until
from tests.support.http2 import Field, Heard
from tests.support.served import Visitor

NEXT = 6  # as many as share the connections to the instances
OWN = "/healthz"  # which nobody is refused for asking often
LOGIN, FILES = "/api/login", "/api/files"  # one has its bodies whole from nginx, the other as they come
BEARER = {"Authorization": f"Bearer {SETTINGS['METRICS_TOKEN']}"}
REPLIES = re.compile(r'^mingchat_http_requests_total\{method="(\w+)",route="([^"]*)",status="\d+"\} (\d+)', re.M)

pytestmark = pytest.mark.security("smuggling")


def host(stack: Stack) -> str:
    return f"localhost:{stack.front.tls_port}"


def heard(stack: Stack, frames: Sequence[bytes]) -> Heard:
    client = ssl.create_default_context(cadata=(stack.front.folder / "ssl/fullchain.pem").read_text())
    client.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", stack.front.tls_port)) as line,
        client.wrap_socket(line, server_hostname="localhost") as opened,
    ):
        assert opened.selected_alpn_protocol() == "h2"
        return http2.ask(opened, *frames)


def replies(stack: Stack) -> Counter[str]:
    """What both instances have replied to so far, but for whom asks this."""
    told: Counter[str] = Counter()
    for instance in stack.instances:
        page = Visitor(instance.base_url, BEARER).get("/metrics").data.decode()
        for method, route, count in REPLIES.findall(page):
            told[f"{method} {route}"] += int(count)
    del told["GET /metrics"]
    return told


def logged(stack: Stack, lines: int) -> list[dict[str, Any]]:
    """What nginx has said since then of its requests."""
    return [json.loads(line) for line in stack.front.access_log.splitlines()[lines:]]


def of_http_2(since: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Only what a test sends by hand is."""
    return [each for each in since if each["protocol"] == "HTTP/2.0"]


def wait_until_logged(stack: Stack, lines: int, numbers: set[str]) -> None:
    wait_until(lambda: {each["request"] for each in logged(stack, lines)} >= numbers)


def passed_on(stack: Stack, frames: Sequence[bytes]) -> tuple[Heard, Counter[str]]:
    """What came back, and what the instances took for requests. Then the next visitors get what is theirs.

    That is as many as nginx says that it has asked them.
    """
    lines = len(stack.front.access_log.splitlines())
    wait_until_logged(stack, lines, {own_reply(stack)})  # whatever was before this is told and counted
    lines, before = len(stack.front.access_log.splitlines()), replies(stack)
    came = heard(stack, frames)
    numbers = {own_reply(stack) for _ in range(NEXT)}
    wait_until_logged(stack, lines, numbers)
    wait_until(lambda: came.status is None or of_http_2(logged(stack, lines)))
    since = logged(stack, lines)
    assert [each["path"] for each in since if each["request"] in numbers] == [OWN] * NEXT
    asked = NEXT + sum(bool(each["instance"]) for each in of_http_2(since))
    with suppress(AssertionError):  # one that nginx gave up in its middle is counted when the instance has seen that
        wait_until(lambda: (replies(stack) - before).total() == asked, 10)
    taken = replies(stack) - before
    assert taken.total() == asked, taken
    taken[f"GET {OWN}"] -= NEXT
    assert taken[f"GET {OWN}"] == 0
    return came, +taken


def own_reply(stack: Stack) -> str:
    """The id of a request, as its reply has it."""
    reply = stack.visitor().get(OWN)
    assert (reply.status, reply.json()) == (200, {"status": "ok"})
    return reply.headers["X-Request-ID"]


def assert_one_at_most(came: Heard, taken: Counter[str], asks: str) -> None:
    if taken:
        assert (taken, came.gave_up) == ({asks: 1}, "")
    else:
        assert came.gave_up or came.status in {*range(400, 500), 501}


def test_what_is_hidden_in_the_others_would_be_seen(stack: Stack) -> None:
    """As a request of its own, and behind another on a connection to an instance."""
    fields = [(":method", "GET"), (":path", smuggled.WANTED), (":scheme", "https"), (":authority", host(stack))]
    came, taken = passed_on(stack, [http2.headers(fields, flags=http2.END_HEADERS | http2.END_STREAM)])
    assert (came.status, taken) == (200, {f"GET {smuggled.WANTED}": 1})
    assert b"start_url" in came.body
    before = replies(stack)
    with socket.create_connection(("127.0.0.1", stack.instances[0].port)) as line:
        smuggled.said(line, smuggled.two_plain_ones(host(stack)))
    assert (replies(stack) - before)[f"GET {smuggled.WANTED}"] == 1


@pytest.mark.parametrize("name", smuggled_http2.FIELDS)
def test_fields_make_no_second_request(stack: Stack, name: str) -> None:
    frames, _ = smuggled_http2.fields(name, host(stack), LOGIN)
    assert_one_at_most(*passed_on(stack, frames), f"POST {LOGIN}")


@pytest.mark.parametrize("name", smuggled_http2.FIELDS)
def test_nor_where_a_body_is_told_on_as_it_comes(stack: Stack, name: str) -> None:
    own: list[Field] = [(each.lower(), value) for each, value in stack.admin.headers.items()]
    own += [("origin", stack.front.base_url), ("content-type", "application/octet-stream")]
    frames, body = smuggled_http2.fields(name, host(stack), f"{FILES}?name=x.txt", own)
    came, taken = passed_on(stack, frames)
    assert_one_at_most(came, taken, f"POST {FILES}")
    if came.status == 201:
        assert json.loads(came.body)["bytes"] == len(body), "all of it is the body, and nothing else"


@pytest.mark.parametrize("name", smuggled_http2.FRAMES)
def test_frames_make_no_second_request(stack: Stack, name: str) -> None:
    came, taken = passed_on(stack, smuggled_http2.frames(name, host(stack), LOGIN))
    assert_one_at_most(came, taken, f"POST {LOGIN}")
