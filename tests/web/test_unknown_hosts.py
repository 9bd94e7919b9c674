"""A name that is not in ALLOWED_HOSTS: whoever opens it is told what to do, and so is the log."""

import re

import pytest
from flask import Flask

from flask_app import create_app
from flask_app.config import Config
from flask_app.web.unknown_hosts import MOST_LOGGED
from tests.support.clients import HTTP, PageClient, new_client

HOME = "192.168.1.20:5808"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def site(app: Flask, base_config: Config) -> PageClient:
    """An application that has logged nothing yet."""
    return new_client(create_app(base_config), HTTP)


@pytest.mark.parametrize(
    ("language", "title"), [("en", "This address is not known here"), ("zh", "服务器不认识这个地址")]
)
def test_the_page_needs_no_other_file_and_says_what_to_set(site: PageClient, language: str, title: str) -> None:
    reply = site.get("/", headers=PAGE | {"Host": HOME, "Accept-Language": language})
    assert reply.status_code == 400
    assert title in reply.text
    assert "ALLOWED_HOSTS=192.168.1.20<" in reply.text
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", reply.text) == ["data:,"]
    (nonce,) = re.findall(r'<style nonce="([^"]+)"', reply.text)
    assert f"style-src 'self' 'nonce-{nonce}'" in reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host",
    [
        "<b>x</b>",
        'a"b',
        "a b",
        "-x.example",
        "x-.example",
        "a..b",
        "a" * 64,
        f"{'a.' * 130}b",
        "例.example",
        "localhost:99999",
    ],
)
def test_what_is_no_new_host_name_is_not_repeated(site: PageClient, host: str) -> None:
    reply = site.get("/", headers=PAGE | {"Host": host.encode().decode("latin-1"), "Accept-Language": "en"})
    assert reply.status_code == 400
    assert "ALLOWED_HOSTS=" not in reply.text
    assert "ALLOWED_HOSTS" in reply.text
    assert host not in reply.text


def test_a_program_gets_the_code(site: PageClient) -> None:
    reply = site.get("/api/me", headers={"Host": HOME})
    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["error"]["code"] == "unknown_host"


def test_a_change_is_refused_alike(site: PageClient) -> None:
    reply = site.post("/api/login", json={}, headers={"Host": HOME, "Origin": f"http://{HOME}"})
    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["error"]["code"] == "unknown_host"


def test_the_log_names_each_host_once_and_not_without_end(site: PageClient, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        site.get("/", headers=PAGE | {"Host": HOME})
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "unknown_host" in line]
    assert "host=192.168.1.20 " in line
    assert "ALLOWED_HOSTS" in line
    for number in range(2 * MOST_LOGGED):
        site.get("/", headers=PAGE | {"Host": f"made-up-{number}.example"})
    assert capfd.readouterr().err.count("unknown_host") == MOST_LOGGED - 1
