"""What several tests of routes begin with."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from flask_app.services.completion.completion_service import Completion
from flask_app.services.runs import run_service


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The database is away for settlements until this is set."""
    settle, back = Completion.settle, threading.Event()

    def settle_if_there(self: Completion, *args: Any, **named: Any) -> Any:
        if not back.is_set():
            raise OperationalError("", {}, Exception("away"))
        return settle(self, *args, **named)

    monkeypatch.setattr(Completion, "settle", settle_if_there)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    yield back
    back.set()
