"""What several tests of routes begin with."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from flask_app.services.completion import settling
from flask_app.services.runs import run_service
from tests.conftest import MakeUser, SignIn
from tests.support import files
from tests.support.clients import PageClient
from tests.support.managing import Class
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The database is away for settlements until this is set."""
    settle, back = settling.settle, threading.Event()

    def settle_if_there(*args: Any, **named: Any) -> Any:
        if not back.is_set():
            raise OperationalError("", {}, Exception("away"))
        return settle(*args, **named)

    monkeypatch.setattr("flask_app.services.runs.run_service.settle", settle_if_there)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    yield back
    back.set()


@pytest.fixture
def other_client(make_user: MakeUser, sign_in: SignIn) -> PageClient:
    return sign_in(make_user("somebody-else"))


@pytest.fixture
def read(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A document that the member has brought in: a model gets it as `attached.DOCUMENT`."""
    return files.kept(member_client, files.pdf("Hello", "World"), 're"port.pdf')


@pytest.fixture
def room(make_user: MakeUser, sign_in: SignIn) -> Class:
    return Class(make_user, sign_in)
