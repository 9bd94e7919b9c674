"""People who ask for an account without an invitation, as tests make them."""

import re

from flask_app.models import Registration
from flask_app.services import registration_service, registration_settings
from flask_app.services.audit_service import Actor
from flask_app.services.auth_service import Browser
from flask_app.services.registration_service import Wanted
from flask_app.services.registration_settings import Terms
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
