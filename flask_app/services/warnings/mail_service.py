"""Mail by the configured server: TLS verified, every wait bounded, headers that nobody else can write."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

import structlog

from flask_app import config
from flask_app.config import Mail
from flask_app.database import new_id, utc_now
from flask_app.domain import redaction
from flask_app.errors import DeliveryError, Invalid
from flask_app.services.site import site_service

TIMEOUT_SECONDS = 20  # of each step
ACCEPT_SECONDS = 120  # for the server to take the message: many look for viruses first
MAX_SUBJECT = 200

log = structlog.get_logger()


def is_set_up() -> bool:
    return config.current().mail is not None


def checked(typed: str) -> str:
    """The address in the one way it is kept; raises Invalid("bad_email")."""
    return _validated(typed)[0]


def folded(email: str) -> str:
    """The form in which addresses are compared: in ASCII, as mail servers have them, whatever the case of its letters.

    No rule of letters alone will do: straße.example and strasse.example are two domains, of two owners.
    One that the rules no longer take is equal to itself alone.
    """
    if email.isascii():
        return email.lower()
    with suppress(Invalid):
        return _validated(email)[1].lower()
    return email


def send(to: str, subject: str, text: str, *, locale: str, message_id: str | None = None) -> None:
    """Hand a message to the server; raises DeliveryError, Invalid("bad_email").

    A message that is sent again under the same id is the same one to whoever looks at ids.
    """
    mail = config.current().mail
    if mail is None:
        raise DeliveryError("mail_not_set_up")
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(site_service.brand(locale), addr_spec=mail.sender)
    message["To"] = Address(addr_spec=_validated(to)[1])
    message["Subject"] = _one_line(subject)
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = f"<{message_id or new_id()}@{_domain(mail)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    with _as_delivery_errors(mail), _opened(mail) as server:
        server.send_message(message)


def sign_in() -> None:
    """Do all that comes before a message, and send none; raises DeliveryError."""
    mail = config.current().mail
    if mail is None:
        raise DeliveryError("mail_not_set_up")
    with _as_delivery_errors(mail), _opened(mail) as server:
        server.noop()


def _validated(typed: str) -> tuple[str, str]:
    """As people read it, and in ASCII."""
    from email_validator import EmailNotValidError, validate_email  # 5 MB that few processes need

    try:
        found = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise Invalid("bad_email") from error
    return found.normalized, found.ascii_email or found.normalized


@contextmanager
def _opened(mail: Mail) -> Iterator[smtplib.SMTP]:
    """A session that is signed in. A wait for the network is never longer than the time-outs say."""
    tls, wait = ssl.create_default_context(), TIMEOUT_SECONDS
    made = (
        smtplib.SMTP_SSL(mail.host, mail.port, _domain(mail), timeout=wait, context=tls)
        if mail.security == "tls"
        else smtplib.SMTP(mail.host, mail.port, _domain(mail), timeout=wait)
    )
    try:
        if mail.security == "starttls":
            made.starttls(context=tls)
        if mail.user and mail.password:
            made.login(mail.user, mail.password)
        if made.sock:
            made.sock.settimeout(ACCEPT_SECONDS)
        yield made
    finally:
        _leave(mail, made)


def _leave(mail: Mail, server: smtplib.SMTP) -> None:
    """Whatever is said to that: a message that was taken would come twice if it were a failure."""
    try:
        if server.sock:
            server.sock.settimeout(TIMEOUT_SECONDS)
        status, words = server.quit()
        if status != 221:
            log.warning("mail_quit_refused", said=_said(mail, status, words))
    except smtplib.SMTPServerDisconnected:
        pass
    except (smtplib.SMTPException, OSError) as error:
        log.warning("mail_quit_refused", said=_presentable(mail, str(error)))
    finally:
        server.close()


@contextmanager
def _as_delivery_errors(mail: Mail) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        (status, words), *_ = error.recipients.values()
        raise DeliveryError(
            "mail_recipient_refused", detail=_said(mail, status, words), lasting=status >= 500
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        raise DeliveryError("mail_login_refused", detail=_said(mail, error.smtp_code, error.smtp_error)) from error
    except smtplib.SMTPResponseException as error:
        lasting = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500
        detail = _said(mail, error.smtp_code, error.smtp_error)
        raise DeliveryError("mail_refused", detail=detail, lasting=lasting) from error
    except smtplib.SMTPNotSupportedError as error:
        raise DeliveryError("mail_not_supported", detail=_presentable(mail, str(error))) from error
    except ssl.SSLError as error:
        raise DeliveryError("mail_tls_failed", detail=_presentable(mail, str(error))) from error
    except OSError as error:  # SMTPServerDisconnected and time-outs among them
        raise DeliveryError("mail_unreachable", detail=_presentable(mail, str(error))) from error


def _said(mail: Mail, status: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return _presentable(mail, f"{status} {text}")


def _presentable(mail: Mail, words: str) -> str:
    return redaction.presentable(words, mail.password or "")


def _domain(mail: Mail) -> str:
    return mail.sender.rpartition("@")[2]


def _one_line(text: str) -> str:
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())[:MAX_SUBJECT]
