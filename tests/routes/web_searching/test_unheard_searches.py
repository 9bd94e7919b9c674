"""Another key is asked for a search, and the COMMIT that writes its attempt gets no reply."""

from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from flask_app import database
from flask_app.models import User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.runs import lease_service, run_service
from flask_app.services.web_search import lookup
from tests.support import ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.keys import keep_key
from tests.support.scripted_upstream import ScriptedUpstream, Status
from tests.support.unheard import Unheard
from tests.support.upstream_journal import SEARCH
from tests.support.web_searching import ORIGIN, QUESTION


@pytest.fixture
def asked(member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> Callable[[Unheard], None]:
    """Ask a question whose first key fails like that."""
    keep_key(web_searching.switch_on(), "second")
    monkeypatch.setattr(lookup, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))

    def ask(how: Unheard) -> None:
        upstream.script(how, path=SEARCH)
        chat_service.send(member, Draft(text=QUESTION, search=True), ORIGIN)

    return ask


def test_one_that_is_found_to_be_there_is_asked_for(
    asked: Callable[[Unheard], None], upstream: ScriptedUpstream
) -> None:
    asked(Unheard(Status(500), happens=True))
    wait_until(lambda: not run_service.live_runs())
    states = [attempt[:2] for attempt in web_searching.attempts()]
    assert states == [("search", "released"), ("search", "settled"), ("chat", "settled")]
    assert [each.status for each in web_searching.searches()] == ["found"]
    upstream.journal.wait_until_idle()
    ledger_oracle.check(upstream.journal, ())


@pytest.mark.parametrize("happens", [True, False])
def test_one_that_nobody_can_tell_of_is_asked_of_nobody(
    asked: Callable[[Unheard], None], upstream: ScriptedUpstream, database_url: str, happens: bool
) -> None:
    with capture_logs() as logs:
        asked(Unheard(Status(500), happens=happens, stays=False))
        wait_until(lambda: "search_not_tried_again" in [line["event"] for line in logs])
    database.connect(database_url)
    wait_until(lambda: not run_service.live_runs())
    lease_service.tick()
    states = [attempt[:2] for attempt in web_searching.attempts()]
    assert states == [("search", "released")] * (1 + happens) + [("chat", "settled")]
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [("failed", "upstream_failed")]
    assert web_searching.entries() == []
    upstream.journal.wait_until_idle()
    assert (len(upstream.journal.searches), len(upstream.journal.chats)) == (1, 1)
