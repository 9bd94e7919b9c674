"""A site on which whoever has a link may open it, and a conversation of two branches."""

import pytest
from flask import Flask

from flask_app.models import Conversation, User
from tests.support import sharing, talks


@pytest.fixture(autouse=True)
def _switched_on(app: Flask) -> None:
    sharing.switch("anybody")


@pytest.fixture
def talk(member: User) -> Conversation:
    return talks.branched(member)
