"""Mail through real servers: encrypted, signed in, refused, silent."""

import dataclasses
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from flask_app import config, logs
from flask_app.config import Mail
from flask_app.errors import DeliveryError, Invalid
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import site_admin_service
from flask_app.services.site.site_service import Site
from flask_app.services.warnings import mail_service
from tests.support import certificates
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.ports import free_port

FROM = "chat@example.org"
SetUp = Callable[..., None]


@pytest.fixture
def set_up(app: Flask) -> SetUp:
    """`set_up(port, security)`: mail goes there."""

    def use(port: int, security: str = "none", host: str = "127.0.0.1", **fields: str) -> None:
        mail = Mail(host=host, port=port, security=security, sender=FROM, **fields)
        config.install(dataclasses.replace(config.current(), mail=mail))

    return use


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ssl.SSLContext]:
    """A server's TLS; its certificate is trusted unless told otherwise."""

    def make(name: str = "localhost", *, trusted: bool = True) -> ssl.SSLContext:
        context, pem = certificates.server_of(name)
        (tmp_path / "trusted.pem").write_text(pem)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
        return context

    return make


def send(to: str = "ada@example.com", subject: str = "主题 subject", text: str = "正文\n.\nend\n", **more: str) -> None:
    mail_service.send(to, subject, text, **({"locale": "zh"} | more))


def failure(**fields: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(**fields)
    return caught.value


def test_a_message_arrives_as_it_was_written(set_up: SetUp, server: MailServer) -> None:
    set_up(server.port)
    send(message_id="0123")
    mail = server.last
    assert (mail.sender, mail.recipients) == (FROM, ["ada@example.com"])
    assert (mail.message["Subject"], mail.text) == ("主题 subject", "正文\n.\nend\n")
    assert (mail.message["Message-ID"], mail.message["Auto-Submitted"]) == ("<0123@example.org>", "auto-generated")
    assert mail.message["From"].addresses[0].addr_spec == FROM
    assert mail.message["From"].addresses[0].display_name
    assert mail.message["Date"].datetime.tzinfo is not None


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_the_line_is_encrypted_before_the_password_goes_over_it(
    set_up: SetUp, certificate: Callable[..., ssl.SSLContext], security: str
) -> None:
    context = certificate()
    with MailServer(**{security: context}) as server:
        set_up(server.port, security, "localhost", user=USER, password=PASSWORD)
        send()
        assert server.last.encrypted
        set_up(server.port, security, "localhost", user=USER, password="wrong horse battery")
        error = failure()
    assert (error.code, error.lasting) == ("mail_login_refused", False)
    assert "wrong horse battery" not in str(error.detail)
    assert str(error.detail).startswith("535")


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(("name", "trusted"), [("localhost", False), ("elsewhere.example", True)])
def test_a_certificate_that_does_not_hold_gets_no_mail(
    set_up: SetUp, certificate: Callable[..., ssl.SSLContext], security: str, name: str, trusted: bool
) -> None:
    with MailServer(**{security: certificate(name, trusted=trusted)}) as server:
        set_up(server.port, security, "localhost", user=USER, password=PASSWORD)
        error = failure()
        assert server.mails == []
    assert error.code == "mail_tls_failed"
    assert "certificate verify failed" in str(error.detail)


def test_a_server_without_encryption_gets_no_mail_where_it_is_asked_for(set_up: SetUp, server: MailServer) -> None:
    set_up(server.port, "starttls", "localhost")
    assert failure().code == "mail_not_supported"
    assert server.mails == []


@pytest.mark.parametrize(
    ("reply", "lasting"), [("550 5.1.1 no such user sk-live-0123456789abcdef", True), ("450 4.2.1 try later", False)]
)
def test_a_refused_recipient_is_tried_again_only_where_that_may_help(
    set_up: SetUp, server: MailServer, reply: str, lasting: bool
) -> None:
    set_up(server.port)
    server.refusals = [reply]
    error = failure()
    assert (error.code, error.lasting) == ("mail_recipient_refused", lasting)
    assert str(error.detail)[:3] == reply[:3]
    assert "sk-live" not in str(error.detail)


@pytest.mark.parametrize(("reply", "lasting"), [("554 looks like spam", True), ("451 try later", False)])
def test_a_refused_message_is_tried_again_only_where_that_may_help(
    set_up: SetUp, server: MailServer, reply: str, lasting: bool
) -> None:
    set_up(server.port)
    server.rejections = [reply]
    error = failure()
    assert (error.code, error.lasting, error.detail) == ("mail_refused", lasting, reply)


@pytest.mark.parametrize("reply", ["250 2.0.0 OK", "451 4.3.0 not so fast", f"221 {'x' * 10_000}", "?"])
def test_a_message_that_was_taken_is_sent_however_the_server_says_goodbye(
    set_up: SetUp, server: MailServer, reply: str
) -> None:
    """As a failure it would be sent again."""
    set_up(server.port)
    server.farewell = reply
    send()
    assert len(server.mails) == 1
    server.refusals = ["550 5.1.1 no such user"]
    assert failure().code == "mail_recipient_refused", "nor does it take the place of what went wrong"


def test_nobody_there_and_nobody_who_speaks_are_told_apart_from_nothing(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_service, "TIMEOUT_SECONDS", 0.2)
    set_up(free_port())
    assert failure().code == "mail_unreachable"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        set_up(silent.getsockname()[1])
        assert failure().code == "mail_unreachable"
    set_up(25, host="no-such-host.invalid")
    assert failure().code == "mail_unreachable"


def test_it_comes_from_the_site_by_the_name_that_it_was_given(set_up: SetUp, server: MailServer) -> None:
    set_up(server.port)
    site_admin_service.change(Actor(None), Site(name="育才中学"))
    send()
    assert server.last.message["From"].addresses[0].display_name == "育才中学"


def test_without_a_server_nothing_is_sent(app: Flask) -> None:
    assert not mail_service.is_set_up()
    assert failure().code == "mail_not_set_up"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x00", "\x85"])
def test_no_subject_becomes_a_header_or_a_body(set_up: SetUp, server: MailServer, end: str) -> None:
    set_up(server.port)
    send(subject=f"Club{end}Bcc: eve@example.com{end}{end}<b>body</b>")
    mail = server.last
    assert mail.recipients == ["ada@example.com"]
    assert mail.message["Bcc"] is None
    assert mail.message["Subject"] == "Club Bcc: eve@example.com <b>body</b>"
    assert mail.text == "正文\n.\nend\n"


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        '"ada\r\n"@example.com',
        "ada@[127.0.0.1]",
        "ada@localhost",
        "ada",
        "@example.com",
        "ada@example.com\x00",
        "ä@example.com",
        "x" * 300 + "@example.com",
        "",
    ],
)
def test_what_is_no_address_is_refused(set_up: SetUp, server: MailServer, address: str) -> None:
    set_up(server.port)
    for act in (mail_service.checked, lambda typed: send(to=typed)):
        with pytest.raises(Invalid) as caught:
            act(address)
        assert caught.value.code == "bad_email"
    assert server.mails == []


def test_a_domain_of_other_letters_is_kept_as_it_is_read_and_sent_as_it_is_known(
    set_up: SetUp, server: MailServer
) -> None:
    assert mail_service.checked(" Ada@例子.中国 ") == "Ada@例子.中国"
    set_up(server.port)
    send(to="Ada@例子.中国")
    assert server.last.recipients == ["Ada@xn--fsqu00a.xn--fiqs8s"]


def test_the_password_is_in_no_log(set_up: SetUp) -> None:
    set_up(25, "tls", user=USER, password=PASSWORD)
    assert PASSWORD not in repr(config.current())
    logs.set_up(config.current())
    assert PASSWORD not in logs.redact(f"AUTH {PASSWORD}")
