"""What the tests of letters to people who forgot their password begin with."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import forgotten
from tests.support.mail_server import MailServer


@pytest.fixture
def mail(app: Flask) -> Iterator[MailServer]:
    with MailServer() as running:
        forgotten.mails_letters(running.port)
        yield running
        forgotten.settle()
