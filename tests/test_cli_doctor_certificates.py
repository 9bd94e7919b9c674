"""`flask doctor` looks at certificates: the one that nginx is given, and the one that people are shown."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from flask_app.services.operations import certificate_file, doctor_service, finding
from tests.support import certificates, ports


def examined(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["doctor"])


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        *((90, "ok", "90 days left"), (3, "warning", "3 days left"), (-2, "BAD", "ended 2 days ago")),
        *((1, "warning", "1 day left"), (-1, "BAD", "ended 1 day ago")),
    ],
)
def test_the_certificate_that_nginx_is_given_is_looked_at(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, level: str, words: str
) -> None:
    file = tmp_path / "fullchain.pem"
    monkeypatch.setattr(certificate_file, "FILE", file)
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    file.write_bytes(certificates.pems("chat.example.org", ends=ends)[0])
    result = examined(app)
    assert f"{level:8}certificate in {file}: {words}" in result.output
    assert result.exit_code == (level == "BAD")


def test_a_certificate_that_is_none_is_bad(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "fullchain.pem"
    monkeypatch.setattr(certificate_file, "FILE", file)
    file.write_text("nothing")
    result = examined(app)
    assert f"BAD     certificate in {file}: cannot be read" in result.output
    assert result.exit_code == 1


class Closed:
    """A file of another account."""

    def read_bytes(self) -> bytes:
        raise PermissionError


def test_a_certificate_of_another_account_is_worth_a_word(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_file, "FILE", Closed())
    result = examined(app)
    assert "not to be read by this account\n        → Run: chmod a+rX ssl ssl/fullchain.pem" in result.output
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("trusts", "level", "words"),
    [(True, finding.WARNING, "0 days left"), (False, finding.BAD, "VERIFY_FAILED")],
)
def test_a_certificate_that_ends_soon_or_that_nobody_trusts_is_told(*, trusts: bool, level: str, words: str) -> None:
    server, client = certificates.contexts("localhost")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_shake_hands, args=(listening, server))
        thread.start()
        port = listening.getsockname()[1]
        found = doctor_service._certificate("localhost", port, client if trusts else ssl.create_default_context())
        thread.join()
    assert (found.level, words in found.what) == (level, True), found


def _shake_hands(listening: socket.socket, server: ssl.SSLContext) -> None:
    line, _ = listening.accept()
    with line, suppress(ssl.SSLError):  # the client goes away, as it should
        server.wrap_socket(line, server_side=True).close()


def test_a_port_where_nobody_listens_is_worth_a_word() -> None:
    assert doctor_service._certificate("127.0.0.1", ports.free_port()).level == finding.WARNING
