"""Links whose worker is killed while the database is away, and those that nobody knows to be committed."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from flask_app import database
from flask_app.models import User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.ledger import journal
from flask_app.services.runs import lease_service, run_service
from flask_app.services.web_search import lookup
from tests.routes.web_searching.journalled import WithoutDatabase, forgo, left_behind, put_back
from tests.support import ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.keys import keep_key
from tests.support.scripted_upstream import Opened, ScriptedUpstream, Status
from tests.support.unheard import Unheard
from tests.support.upstream_journal import FETCH
from tests.support.web_searching import ORIGIN

QUESTION = "Lighthouse? https://example.com/lantern https://example.com/b"
LINK = "https://example.com/lantern"


@pytest.fixture
def journalled(folder: Path, member: User, upstream: ScriptedUpstream, database_url: str) -> dict[Path, bytes]:
    """A worker wrote its journal and was killed: these are the files."""
    web_searching.switch_on()
    upstream.script(WithoutDatabase(Opened()), path=FETCH)
    return left_behind(folder, member, QUESTION, database_url)


def states() -> list[tuple[str, str]]:
    return [(channel, state) for channel, state, _ in web_searching.attempts()]


BOOKED = [("search", "settled")] * 3 + [("chat", "released")]


def test_each_is_booked_once_and_what_was_opened_is_lost(
    journalled: dict[Path, bytes], upstream: ScriptedUpstream
) -> None:
    assert len(journalled) == 4
    assert all(b"lantern" not in content for content in journalled.values()), "counts alone"
    put_back(journalled)
    lease_service.tick()
    assert states() == BOOKED
    assert {entry.source for entry in web_searching.entries()} == {"reported"}
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [("failed", "interrupted")]
    assert (journal.waiting(), upstream.journal.chats) == (set(), [])
    put_back(journalled)
    lease_service.tick()
    assert (len(web_searching.entries()), journal.count_aside()) == (3, 0)
    ledger_oracle.check(upstream.journal, ())


@pytest.mark.parametrize("left", [0, 1, 2])
def test_what_no_file_is_left_of_is_the_reapers(
    journalled: dict[Path, bytes], upstream: ScriptedUpstream, left: int
) -> None:
    """The search goes on being one that runs until none of it is on its way."""
    of_searches = [file for file in sorted(journalled) if b'"channel":"search"' in journalled[file]]
    put_back({file: journalled[file] for file in of_searches[:left]})
    lease_service.tick()
    lease_service.tick()
    lease_service.end_the_dead()
    assert states() == BOOKED
    sources = sorted(entry.source for entry in web_searching.entries())
    assert sources == ["estimated"] * (3 - left) + ["reported"] * left
    assert [each.status for each in web_searching.searches()] == ["failed"]


def test_those_that_nobody_knows_to_be_committed_are_asked_of_nobody(
    folder: Path, member: User, upstream: ScriptedUpstream
) -> None:
    forgo(member, QUESTION)
    lease_service.tick()
    assert states() == [("search", "released")] * 3 + [("chat", "released")]
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [("failed", "interrupted")]
    assert (web_searching.entries(), len(upstream.journal.fetches)) == ([], 0)


@pytest.mark.parametrize("happens", [True, False])
def test_another_key_whose_commit_gets_no_reply_is_asked_nothing_where_nobody_can_tell(
    member: User, upstream: ScriptedUpstream, database_url: str, monkeypatch: pytest.MonkeyPatch, happens: bool
) -> None:
    keep_key(web_searching.switch_on(), "second")
    monkeypatch.setattr(lookup, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    upstream.script(Unheard(Status(500), happens=happens, stays=False), path=FETCH)
    with capture_logs() as logs:
        chat_service.send(member, Draft(text=LINK, search=True), ORIGIN)
        wait_until(lambda: "search_not_tried_again" in [line["event"] for line in logs])
    database.connect(database_url)
    wait_until(lambda: not run_service.live_runs())
    lease_service.tick()
    assert web_searching.entries() == []
    assert [each.status for each in web_searching.searches()] == ["failed"]
    assert (len(upstream.journal.fetches), len(upstream.journal.chats)) == (1, 1)
