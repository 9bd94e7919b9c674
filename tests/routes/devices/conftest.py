"""Somebody who signs in from several browsers, and has an address to be told at."""

from collections.abc import Iterator

import pytest

from flask_app.models import User
from tests.conftest import MakeUser
from tests.support.mail_server import MailServer
from tests.support.warned import use_mail


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    return make_user("ada", email="ada@example.com", locale="en")


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        use_mail(port=server.port)
        yield server
