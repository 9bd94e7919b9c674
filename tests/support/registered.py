"""People who ask for an account without an invitation, as tests make them."""

import re
from typing import Any

from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import AuditEntry, Registration, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import registration_service, registration_settings
from flask_app.services.people.registration_service import Wanted
from flask_app.services.people.registration_settings import Terms
from flask_app.services.sign_in.auth_service import Browser
from tests.support.clients import PageClient
from tests.support.entrance import STRONG
from tests.support.mail_server import MailServer

HOUSE = Actor(None)


def allow(mode: str, *domains: str, **terms: str) -> Terms:
    return registration_settings.change(HOUSE, Terms(mode=mode, domains=domains, **terms))


def asked(username: str, address: str = "192.0.2.1") -> Registration:
    """Somebody who asks, and does not come in at once."""
    wanted = Wanted(username=username, password=STRONG, email=None, locale="en", site_url="http://localhost")
    done = registration_service.register(wanted, Browser(address))
    assert isinstance(done, Registration)
    return done


def waiting(username: str, address: str = "192.0.2.1") -> Registration:
    """Somebody whom an administrator may let in, where mail is not set up."""
    allow(registration_settings.APPROVAL)
    return asked(username, address)


def token_of(server: MailServer) -> str:
    """The token in the newest mail."""
    found = re.search(r"/confirm#(\S+)", server.mails[-1].text)
    assert found, server.mails[-1].text
    return found[1]


def register(client: PageClient, username: str = "new", address: str = "192.0.2.1", **fields: Any) -> Any:
    body = {"username": username, "password": STRONG} | fields
    return client.post("/api/register", json=body, environ_overrides={"REMOTE_ADDR": address})


def confirm(client: PageClient, token: str) -> Any:
    return client.post("/api/register/confirm", json={"token": token})


def people() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def kept() -> list[Registration]:
    with reading() as session:
        return list(session.scalars(select(Registration).order_by(Registration.id)))


def audited(action: str) -> AuditEntry:
    with reading() as session:
        return session.scalars(select(AuditEntry).where(AuditEntry.action == action)).one()
