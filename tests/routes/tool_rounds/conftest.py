from collections.abc import Callable, Iterator

import pytest

from flask_app.services.runs import run_service
from tests.support import called, ledger_oracle
from tests.support.brokers import wait_until
from tests.support.called import Weather
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def weather() -> Iterator[Weather]:
    tool = Weather()
    with called.offered(tool):
        yield tool


@pytest.fixture
def agreed(upstream: ScriptedUpstream) -> Callable[..., None]:
    """Ledger and provider say the same once all has ended; `disturbed` as the oracle has it."""

    def check(*disturbed: str) -> None:
        wait_until(lambda: not run_service.live_runs())
        upstream.journal.wait_until_idle()
        ledger_oracle.check(upstream.journal, disturbed)

    return check
