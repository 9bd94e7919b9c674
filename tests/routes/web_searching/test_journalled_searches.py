"""A search whose worker is killed while the database is away, and one that nobody knows to be committed."""

from pathlib import Path

import pytest
from sqlalchemy import update

from flask_app.database import transaction, writing
from flask_app.domain.web_sources import Search
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.chat import regenerate_service
from flask_app.services.chat.regenerate_service import Wish
from flask_app.services.ledger import journal
from flask_app.services.runs import lease_service, run_service
from flask_app.services.web_search import searches
from tests.routes.web_searching.journalled import WithoutDatabase, forgo, left_behind, put_back
from tests.support import ledger, web_searching
from tests.support.brokers import wait_until
from tests.support.events import events_of
from tests.support.scripted_upstream import Gate, Pages, ScriptedUpstream
from tests.support.upstream_journal import SEARCH
from tests.support.web_searching import ORIGIN, QUESTION


@pytest.fixture
def journalled(folder: Path, member: User, upstream: ScriptedUpstream, database_url: str) -> dict[Path, bytes]:
    """A worker wrote its journal and was killed: these are the files."""
    web_searching.switch_on()
    upstream.script(WithoutDatabase(Pages()), path=SEARCH)
    return left_behind(folder, member, QUESTION, database_url)


def test_what_was_found_out_is_booked_and_what_was_found_is_lost(
    journalled: dict[Path, bytes], upstream: ScriptedUpstream
) -> None:
    assert len(journalled) == 2
    assert all(b"lighthouse" not in content for content in journalled.values()), "counts alone"
    put_back(journalled)
    lease_service.tick()
    assert web_searching.attempts() == [("search", "settled", None), ("chat", "released", "database_unavailable")]
    assert [entry.source for entry in web_searching.entries()] == ["reported"]
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [("failed", "interrupted")]
    assert (journal.waiting(), upstream.journal.chats) == (set(), [])


def test_where_only_the_answers_file_is_left_its_search_is_the_reapers(journalled: dict[Path, bytes]) -> None:
    put_back({file: content for file, content in journalled.items() if b'"channel":"chat"' in content})
    lease_service.tick()
    lease_service.tick()
    assert [attempt[:2] for attempt in web_searching.attempts()] == [("search", "settled"), ("chat", "released")]
    assert [entry.source for entry in web_searching.entries()] == ["estimated"]
    assert [each.status for each in web_searching.searches()] == ["failed"]


def booked_elsewhere(journalled: dict[Path, bytes]) -> None:
    """Another instance ended what this one left, and has no file of it."""
    assert journalled, "the journal had it"
    assert not journal.waiting()
    lease_service.end_the_dead()


def test_a_count_that_comes_after_the_estimate_of_a_search_is_nobodys_to_look_at(
    journalled: dict[Path, bytes],
) -> None:
    """It has no tokens, and costs the same."""
    booked_elsewhere(journalled)
    put_back(journalled)
    lease_service.tick()
    assert [entry.source for entry in web_searching.entries()] == ["estimated"]
    assert (journal.waiting(), journal.count_aside()) == (set(), 0)


def test_the_count_of_one_that_was_taken_for_unasked_is_set_aside_for_a_person(journalled: dict[Path, bytes]) -> None:
    """The ledger has nothing of it."""
    booked_elsewhere(journalled)
    with transaction() as session:
        session.execute(update(Attempt).where(Attempt.channel == "search").values(state="released"))
    ledger.forget(TokenUsage.channel == "search")
    put_back(journalled)
    lease_service.tick()
    assert (web_searching.entries(), journal.count_aside()) == ([], 1)


def test_a_search_that_is_made_once_more_meanwhile_is_not_ended_with_the_lost_one(
    journalled: dict[Path, bytes], member: User, upstream: ScriptedUpstream
) -> None:
    booked_elsewhere(journalled)
    gate = Gate(0)
    upstream.script(Pages(gate=gate), path=SEARCH)
    (before,) = web_searching.searches()
    begun = regenerate_service.regenerate(member, Wish(question_id=before.message_id, search=True), ORIGIN)
    wait_until(lambda: len(upstream.journal.searches) == 2)
    put_back(journalled)
    lease_service.tick()
    assert [each.status for each in web_searching.searches()] == ["running"]
    gate.open()
    events = events_of(b"".join(run_service.read(member, begun.run_id, after=0, locale="en")))
    assert [event.data["status"] for event in events if event.name == "sources"] == ["found"]
    assert [each.status for each in web_searching.searches()] == ["found"]
    assert len(web_searching.sources()) == 2


def test_a_worker_that_comes_back_does_not_end_the_search_that_another_makes(
    journalled: dict[Path, bytes], member: User, upstream: ScriptedUpstream
) -> None:
    booked_elsewhere(journalled)
    (before,) = web_searching.searches()
    with writing() as connection:
        searches.begin(connection, before.message_id, query=QUESTION, engine="deepseek")
        searches.end(connection, before.id, Search(status="empty", query=QUESTION, engine="deepseek"))
    assert [each.status for each in web_searching.searches()] == ["running"]


def test_one_that_nobody_knows_to_be_committed_is_asked_of_nobody(
    folder: Path, member: User, upstream: ScriptedUpstream
) -> None:
    """As a process does that is closed before it is known: the journal ends both attempts, wherever they are."""
    forgo(member, QUESTION)
    lease_service.tick()
    assert web_searching.attempts() == [("search", "released", None), ("chat", "released", "interrupted")]
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [("failed", "interrupted")]
    assert (web_searching.entries(), len(upstream.journal.searches)) == ([], 0)
