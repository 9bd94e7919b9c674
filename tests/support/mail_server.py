"""A real mail server on loopback that keeps what it is given, with or without TLS and sign-in."""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.brokers import PATIENCE
from tests.support.ports import free_port

USER, PASSWORD = "postmaster", "seven paper sailing boats"


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: list[str]
    message: EmailMessage
    encrypted: bool

    @property
    def text(self) -> str:
        return str(self.message.get_content()).replace("\r\n", "\n")


class MailServer:
    """`refusals` are replies to the next recipients, `rejections` to the next messages; "" takes them. `farewell` is
    the reply to QUIT.
    """

    def __init__(self, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[Mail] = []
        self.refusals: list[str] = []
        self.rejections: list[str] = []
        self.farewell = "221 Bye"
        self.on_taken: Callable[[], None] | None = None  # before the client is told so
        self.port = free_port()
        self._lock = threading.Lock()
        secure: dict[str, Any] = {"tls_context": starttls, "require_starttls": True} if starttls else {}
        secure |= {"ssl_context": tls} if tls else {}
        if starttls or tls:
            secure |= {"authenticator": _authenticate, "auth_require_tls": starttls is not None}
        secure["ready_timeout"] = PATIENCE
        self._controller = Controller(_Handler(self), hostname="127.0.0.1", port=self.port, **secure)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """When its sessions are over."""
        asyncio.run_coroutine_threadsafe(_settled(), self._controller.loop).result(PATIENCE)
        self._controller.stop()

    @property
    def last(self) -> Mail:
        return self.mails[-1]

    def is_encrypted(self, session: Session) -> bool:
        return session.ssl is not None or self._controller.ssl_context is not None

    def keep(self, mail: Mail) -> None:
        with self._lock:
            self.mails.append(mail)
        if self.on_taken:
            self.on_taken()


class _Handler:
    """What aiosmtpd calls."""

    def __init__(self, keeper: MailServer) -> None:
        self._keeper = keeper

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusals = self._keeper.refusals
        if refusals and (reply := refusals.pop(0)):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        rejections = self._keeper.rejections
        if rejections and (reply := rejections.pop(0)):
            return reply
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        encrypted = self._keeper.is_encrypted(session)
        self._keeper.keep(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), message, encrypted))
        return "250 OK"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self._keeper.farewell


async def _settled() -> None:
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=5)


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=given == known, handled=False)
