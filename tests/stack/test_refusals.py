"""What nginx says where the application cannot; there is none behind it here."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import pytest
from urllib3 import BaseHTTPResponse

from flask_app.errors import AppError, TooLarge, Unavailable
from flask_app.i18n import LOCALES, translate
from flask_app.services.gateway import gateway_errors, message_faults
from tests.stack import front
from tests.stack.front import Front
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.served import Visitor

ADDRESS = "X-Address-Of-A-Test"
ONE_EACH = {
    "limit_conn addresses 1000;": f"limit_conn addresses 1; set_real_ip_from 127.0.0.1; real_ip_header {ADDRESS};"
}
_addresses = itertools.count()
TOO_LARGE = {"message": "x" * 1_200_000}
TOO_LARGE_FOR_PROGRAMS = {"message": "x" * 18_000_000}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx, which lets each address do one thing at a time."""
    with front.before(tmp_path_factory.mktemp("alone"), [free_port()], ONE_EACH) as running:
        yield running


def asked(alone: Front, path: str, content: object = None, **headers: str) -> BaseHTTPResponse:
    """Each time at an address of its own, unless one is told: nginx lets go of a request after its reply has come."""
    own = {ADDRESS: f"192.0.2.{next(_addresses) % 256}"}
    visitor = Visitor(alone.base_url, own | headers, tls=alone.trusting)
    return visitor.ask("GET" if content is None else "POST", path, content)


@contextmanager
def busy(alone: Front, address: str) -> Iterator[None]:
    """While the block runs somebody at `address` sends a request that does not end: nginx has asked for its body."""
    with (
        socket.create_connection(("127.0.0.1", alone.tls_port)) as line,
        alone.trusting.wrap_socket(line, server_hostname="localhost") as spoken,
    ):
        spoken.sendall(f"POST /api/x HTTP/1.1\r\nHost: localhost\r\n{ADDRESS}: {address}\r\n".encode())
        spoken.sendall(b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        assert spoken.recv(1024).startswith(b"HTTP/1.1 100 ")
        assert is_full(alone, address)
        yield
    wait_until(lambda: not is_full(alone, address))


def is_full(alone: Front, address: str) -> bool:
    return asked(alone, "/api/x", **{ADDRESS: address}).status == HTTPStatus.TOO_MANY_REQUESTS


def assert_told(reply: BaseHTTPResponse, status: int, error: AppError, locale: str) -> None:
    """The reply has the shape, the code and the words that the application's own has."""
    assert reply.status == status
    assert reply.headers["Content-Type"] == "application/json"
    once = ("Strict-Transport-Security", "X-Content-Type-Options", "X-Request-ID", "Cache-Control")
    assert {name: len(reply.headers.getlist(name)) for name in once} == dict.fromkeys(once, 1)
    words = translate(locale, f"error.{error.code}")
    number = reply.headers["X-Request-ID"]
    assert reply.json() == {"error": {"code": error.code, "message": words, "request_id": number, "params": {}}}


def assert_told_to_a_program(reply: BaseHTTPResponse, status: int, error: AppError, locale: str) -> None:
    assert reply.status == status
    told = gateway_errors.fault(error, gateway_errors.words(error.code, locale)).error
    expected = {"message": told.message, "type": told.type, "code": told.code, "param": None}
    assert reply.json() == {"error": expected}


def assert_told_as_a_message(reply: BaseHTTPResponse, status: int, error: AppError, locale: str) -> None:
    """In the shape of Anthropic's Messages API."""
    assert reply.status == status
    number = reply.headers["X-Request-ID"]
    told = message_faults.fault(error, gateway_errors.words(error.code, locale), number)
    expected = {"type": told.error.type, "message": told.error.message}
    assert reply.json() == {"type": "error", "error": expected, "request_id": number}
    assert reply.headers.getlist("Request-ID") == [number]


def of_code(code: str, status: int) -> AppError:
    error = AppError(code)
    error.status = status
    return error


@pytest.mark.parametrize("locale", LOCALES)
def test_a_body_that_is_far_too_large(alone: Front, locale: str) -> None:
    language = {"Accept-Language": locale}
    assert_told(asked(alone, "/api/chat", TOO_LARGE, **language), 413, TooLarge(), locale)
    reply = asked(alone, "/v1/chat/completions", TOO_LARGE_FOR_PROGRAMS, **language)
    assert_told_to_a_program(reply, 413, TooLarge(), locale)
    assert "Retry-After" not in reply.headers
    assert "Request-ID" not in reply.headers
    reply = asked(alone, "/v1/messages", TOO_LARGE_FOR_PROGRAMS, **language)
    assert_told_as_a_message(reply, 413, TooLarge(), locale)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_instance_answers(alone: Front, locale: str) -> None:
    language = {"Accept-Language": locale}
    reply = asked(alone, "/api/conversations", **language)
    assert_told(reply, 502, Unavailable("restarting"), locale)
    assert reply.headers["Retry-After"] == "5"
    reply = asked(alone, "/v1/models", **language)
    assert_told_to_a_program(reply, 502, Unavailable("restarting"), locale)
    assert reply.headers["Retry-After"] == "5"
    reply = asked(alone, "/v1/messages/count_tokens", {}, **language)
    assert_told_as_a_message(reply, 502, Unavailable("restarting"), locale)
    assert reply.headers["Retry-After"] == "5"


def test_an_instance_takes_too_long(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hurried = {"proxy_read_timeout 60s;": "proxy_read_timeout 200ms;"}
        with front.before(tmp_path, [silent.getsockname()[1]], hurried) as before_it:
            reply = asked(before_it, "/api/conversations", **{"Accept-Language": "en"})
    assert_told(reply, 504, Unavailable("restarting"), "en")
    assert reply.headers["Retry-After"] == "5"


@pytest.mark.parametrize("locale", LOCALES)
def test_too_many_at_once_from_one_address(alone: Front, locale: str) -> None:
    headers = {"Accept-Language": locale, ADDRESS: "203.0.113.9"}
    with busy(alone, "203.0.113.9"):
        reply = asked(alone, "/api/conversations", **headers)
        assert_told(reply, 429, of_code("too_many", 429), locale)
        assert reply.headers["Retry-After"] == "5"
        assert_told_to_a_program(asked(alone, "/v1/models", **headers), 429, of_code("too_many", 429), locale)
        assert_told_as_a_message(asked(alone, "/v1/messages", **headers), 429, of_code("too_many", 429), locale)
        assert asked(alone, "/api/conversations", **{ADDRESS: "203.0.113.10"}).status == HTTPStatus.BAD_GATEWAY


@pytest.mark.security("forwarded-headers")
@pytest.mark.parametrize(
    ("one", "another", "is_one_network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("2001:db8::1", "2001:db8::ffff:0:0:2", True),
        ("2001:db8::1", "2001:db9::1", False),
        ("::1", "::2", False),
    ],
)
def test_a_network_of_64_bits_is_one_address(alone: Front, one: str, another: str, *, is_one_network: bool) -> None:
    with busy(alone, one):
        status = asked(alone, "/api/x", **{ADDRESS: another}).status
    assert status == (HTTPStatus.TOO_MANY_REQUESTS if is_one_network else HTTPStatus.BAD_GATEWAY)


@pytest.mark.parametrize(
    ("accepted", "cookie", "locale"),
    [
        (None, "", "zh"),
        ("*", "", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "", "en"),
        ("de-DE,de;q=0.9", "", "en"),
        ("de-DE,de;q=0.9,zh;q=0.5", "", "zh"),
        ("zh-TW,zh;q=0.9,en-US;q=0.8", "", "zh-Hant"),
        ("zh-Hant-HK", "", "zh-Hant"),
        ("zh-CN,zh-TW;q=0.9", "", "zh"),
        ("zh-Hans-TW", "", "zh"),
        ("ja-JP,en;q=0.9,zh;q=0.8", "", "ja"),
        ("ko-KR,ja;q=0.9,zh-TW;q=0.5", "", "ja"),
        ("en,ja,zh-TW", "", "en"),
        ("zh-CN", "lang=ja", "ja"),
        ("zh-CN", "lang=zh-Hant", "zh-Hant"),
        ("zh-TW", "lang=zh", "zh"),
        ("zh-CN", "lang=en", "en"),
        ("en", "lang=zh", "zh"),
    ],
)
def test_the_language_is_the_one_that_the_application_would_choose(
    alone: Front, accepted: str | None, cookie: str, locale: str
) -> None:
    headers = {"Cookie": cookie} | ({"Accept-Language": accepted} if accepted else {})
    assert_told(asked(alone, "/api/conversations", **headers), 502, Unavailable("restarting"), locale)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_long_body_that_there_is_no_room_for(tmp_path: Path, locale: str) -> None:
    language = {"Accept-Language": locale}
    with front.before(tmp_path, [free_port()]) as alone:
        (tmp_path / "cache/nginx-bodies").rmdir()
        reply = asked(alone, "/api/chat", {"message": "x" * 100_000}, **language)
        assert_told(reply, 500, AppError(), locale)
        reply = asked(alone, "/v1/chat/completions", {"message": "x" * 100_000}, **language)
        assert_told_to_a_program(reply, 500, AppError(), locale)
        short = asked(alone, "/api/chat", {"message": "x" * 10_000}, **language)
        assert_told(short, 502, Unavailable("restarting"), locale)


def test_a_page_is_told_as_a_page(alone: Front) -> None:
    reply = asked(alone, "/login")
    assert (reply.status, reply.headers["Content-Type"]) == (502, "text/html")
