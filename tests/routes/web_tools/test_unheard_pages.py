"""The COMMIT of what a model's own search found gets no reply."""

from collections.abc import Callable

import pytest

from flask_app.models import User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.ledger import journal
from flask_app.services.runs import lease_service, run_service
from tests.support import called, ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.called import calling
from tests.support.scripted_upstream import Answer, Pages, ScriptedUpstream
from tests.support.unheard import Unheard
from tests.support.upstream_journal import SEARCH

HIGH = ("web_search", '{"query": "how high"}')


@pytest.fixture
def asked(member: User, upstream: ScriptedUpstream) -> Callable[[bool], None]:
    web_searching.switch_on()

    def ask(happens: bool) -> None:
        upstream.script(Unheard(Pages(), happens), path=SEARCH)
        upstream.script(calling(HIGH), Answer("as you say"))
        chat_service.send(member, Draft(text=called.QUESTION, tools=("web",)), called.ORIGIN)
        wait_until(lambda: not run_service.live_runs())
        lease_service.tick()
        upstream.journal.wait_until_idle()
        ledger_oracle.check(upstream.journal, ())

    return ask


def test_what_is_there_is_told_to_the_model(asked: Callable[[bool], None], upstream: ScriptedUpstream) -> None:
    asked(True)
    assert called.standing() == [("done", None)]
    kept = [source.url for source in web_searching.sources()]
    told = upstream.journal.chats[1].body["messages"][-1]["content"]
    assert kept
    assert all(url in told for url in kept)
    assert journal.waiting() == set()


def test_what_is_not_there_is_booked_from_the_journal_and_told_to_nobody(
    asked: Callable[[bool], None], upstream: ScriptedUpstream
) -> None:
    asked(False)
    assert called.standing() == [("failed", "database_unavailable")]
    assert web_searching.sources() == []
    assert [entry.source for entry in web_searching.entries()] == ["reported"]
    assert journal.waiting() == set()
