"""What tests of services share."""

from collections.abc import Iterator

import pytest
from flask import Flask

from flask_app import config
from tests.support.keys import keep_provider
from tests.support.mail_server import MailServer
from tests.support.warned import use_mail


@pytest.fixture
def provider_id(app: Flask) -> str:
    return keep_provider("Example", "https://api.example.com", models=["m"])


@pytest.fixture
def mail(app: Flask) -> Iterator[MailServer]:
    """A mail server that the site sends by."""
    with MailServer() as running:
        use_mail(running.port)
        yield running


@pytest.fixture
def in_an_instance(session_app: Flask) -> None:
    """Files that are read are spooled in its folder; no row of its database is needed."""
    assert config.current().instance_dir.is_dir()
