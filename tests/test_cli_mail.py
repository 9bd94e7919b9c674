"""`flask mail test`."""

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import AuditEntry
from tests.support import ports
from tests.support.mail_server import MailServer
from tests.support.warned import use_mail


def run(app: Flask, address: str) -> Result:
    return app.test_cli_runner().invoke(args=["mail", "test", address])


def test_a_mail_is_sent_and_logged(app: Flask) -> None:
    with MailServer() as server:
        use_mail(server.port)
        result = run(app, "me@example.com")
        assert (result.exit_code, server.last.recipients) == (0, ["me@example.com"])
    assert "me@example.com" in result.output
    with reading() as session:
        assert session.execute(select(AuditEntry.action, AuditEntry.actor_name)).all() == [
            ("mail.test", "(command line)")
        ]


def test_what_goes_wrong_is_said(app: Flask) -> None:
    for address, words in (("me@example.com", "SMTP_HOST"), ("me", "valid e-mail address")):
        result = run(app, address)
        assert result.exit_code == 1
        assert words in result.output
    use_mail(ports.free_port())
    result = run(app, "me@example.com")
    assert "cannot be reached" in result.output
    assert "refused" in result.output, "the system's own words"
