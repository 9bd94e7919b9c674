"""What the guides say of troubles: the words appear where one is told to look, and the way out leads out."""

import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.compose.conftest import Stack
from tests.support.brokers import wait_until

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
DEPLOYMENT = ("deployment.md", "部署指南.md")
CERTIFICATES = ("certificates.md", "SSL证书使用指南.md")


def assert_told(names: tuple[str, str], *words: str) -> None:
    for name in names:
        text = " ".join((DOCUMENTS / name).read_text(encoding="utf-8").split())
        assert [each for each in words if each not in text] == [], name


def test_a_port_that_a_program_has(stack: Stack) -> None:
    assert_told(DEPLOYMENT, "address already in use")
    stack.site.compose("stop", "nginx")
    with closing(socket.create_server(("127.0.0.1", stack.site.ports["http"]))):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            stack.site.compose("up", "-d")
        assert "address already in use" in refused.value.__notes__[0]
    stack.site.compose("up", "-d")
    stack.wait_until_ready()


def test_a_password_that_is_not_the_databases(stack: Stack) -> None:
    assert_told(DEPLOYMENT, "Access denied", "docker compose logs migrate flask-app")
    file = stack.site.folder / ".env"
    right = file.read_text()
    file.write_text(right.replace("MYSQL_MIGRATION_PASSWORD=", "MYSQL_MIGRATION_PASSWORD=another"))
    try:
        with pytest.raises(subprocess.CalledProcessError):
            stack.site.compose("up", "-d")
        assert "Access denied" in stack.site.compose("logs", "migrate", "flask-app")
    finally:
        file.write_text(right)
        stack.site.compose("up", "-d")
    stack.wait_until_ready()
    assert stack.admin.get("/api/conversations").status == 200


def test_a_key_that_nginx_cannot_read(stack: Stack) -> None:
    assert_told(CERTIFICATES, "cannot load certificate", "docker compose logs nginx")
    file = stack.site.folder / "ssl/privkey.pem"
    right = file.read_text()
    file.write_text("no key")
    try:
        stack.site.compose("restart", "nginx")
        wait_until(lambda: "cannot load certificate" in stack.site.compose("logs", "--tail", "20", "nginx"), 60)
    finally:
        file.write_text(right)
        stack.site.compose("restart", "nginx")
    stack.wait_until_ready()
