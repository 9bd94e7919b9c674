"""Letters for people who forgot their password, as tests ask for them."""

import dataclasses
import re
import threading
from typing import Any

from flask_app import config
from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.people import reset_letters
from tests.conftest import MakeUser
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.mail_server import Mail, MailServer
from tests.support.warned import use_mail

ASK = "/api/password-reset/letter"


def reachable(make_user: MakeUser, name: str, role: str = "member", email: str | None = None, **fields: Any) -> User:
    """Somebody who has confirmed an address."""
    given = email or f"{name}@example.org"
    return make_user(name, role, **({"email": given, "confirmed_email": given.casefold(), "locale": "en"} | fields))


def ask(client: PageClient, account: str, address: str = "192.0.2.1", **more: Any) -> Any:
    return client.post(ASK, json={"account": account}, environ_overrides={"REMOTE_ADDR": address}, **more)


def mails_letters(port: int) -> None:
    """Mail goes out by a server on loopback, and the site is behind a proxy, at its name alone."""
    use_mail(port)
    config.install(dataclasses.replace(config.current(), trusted_proxies=1))


def settle() -> None:
    """Wait until whatever was asked is over."""
    wait_until(lambda: not any(thread.name == reset_letters.THREAD for thread in threading.enumerate()))


def recipients(server: MailServer) -> list[list[str]]:
    """Of all letters that were asked for."""
    settle()
    return sorted(mail.recipients for mail in server.mails)


def letter(server: MailServer, number: int = 1) -> Mail:
    """The letter that makes so many."""
    settle()
    assert len(server.mails) == number
    return server.mails[-1]


def token_in(mail: Mail) -> str:
    found = re.search(r"/reset#(\S+)", mail.text)
    assert found, mail.text
    return found[1]


def code_in(mail: Mail) -> str:
    found = re.search(r"^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$", mail.text, re.MULTILINE)
    assert found, mail.text
    return found[0]


def change(user: User, **fields: Any) -> None:
    with transaction() as session:
        row = session.get_one(User, user.id)
        for name, value in fields.items():
            setattr(row, name, value)
