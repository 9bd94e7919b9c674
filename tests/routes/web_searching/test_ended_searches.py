"""A search whose answer is stopped, whose worker dies, or whose database is away; and one whose conversation goes."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from flask_app import database
from flask_app.database import reading, transaction, utc_now
from flask_app.models import Attempt, Conversation, Message, Run, Tariff, TokenUsage, User, WebSearch, WebSource
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.runs import closing, lease_service, reaper_service, run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.web_search import lookup
from tests.support import ledger, web_searching
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Gate, Pages, ScriptedUpstream
from tests.support.upstream_journal import SEARCH, Received
from tests.support.upstream_reply import Reply
from tests.support.web_searching import ORIGIN, QUESTION

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    return web_searching.switch_on()


@pytest.fixture
def held(provider_id: str, member: User, upstream: ScriptedUpstream) -> Begun:
    """An answer whose search is on its way."""
    upstream.script(Pages(gate=Gate(0)), path=SEARCH)
    begun = begin(member)
    wait_until(lambda: bool(upstream.journal.searches))
    return begun


def begin(member: User) -> Begun:
    return chat_service.send(member, Draft(text=QUESTION, search=True), ORIGIN)


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


def message() -> Message:
    with reading() as session:
        return session.scalars(select(Message).where(Message.role == "assistant")).one()


def how_it_was_booked() -> list[tuple[str, str]]:
    return [(entry.source, entry.outcome) for entry in web_searching.entries()]


def test_stopping_ends_it_at_once_and_books_what_was_on_its_way(
    held: Begun, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert member_client.post(f"/api/runs/{held.run_id}/stop", json={}).status_code == 202
    wait()
    assert web_searching.attempts() == [("search", "settled", None), ("chat", "released", None)]
    assert how_it_was_booked() == [("estimated", "stopped")]
    assert (message().status, message().error_code) == ("stopped", None)
    assert [search.status for search in web_searching.searches()] == ["stopped"]
    upstream.journal.wait_until_idle()
    assert (upstream.journal.searches[0].closed_early, upstream.journal.chats) == (True, [])


def test_the_end_of_the_process_interrupts_it(held: Begun, upstream: ScriptedUpstream) -> None:
    run_service.shutdown()
    assert web_searching.attempts() == [("search", "settled", None), ("chat", "released", None)]
    assert how_it_was_booked() == [("estimated", "interrupted")]
    assert message().status == "interrupted"
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [("failed", "interrupted")]


def test_what_begins_when_the_process_ends_is_refused(
    provider_id: str, member_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closing, "_is_closed", True)
    reply = member_client.post("/api/chat", json={"message": QUESTION, "search": True})
    assert reply.status_code == 503
    assert (web_searching.attempts(), web_searching.searches()) == ([], [])


def test_with_its_conversation_all_of_it_goes_but_what_it_cost(
    held: Begun, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert member_client.delete(f"/api/conversations/{held.conversation_id}").status_code == 204
    wait()
    assert (web_searching.searches(), web_searching.sources()) == ([], [])
    assert web_searching.attempts() == [("search", "settled", None), ("chat", "released", None)]
    assert how_it_was_booked() == [("estimated", "stopped")]


def killed_while_searching(*, stopped: bool = False) -> None:
    """As the worker left it: nothing was found yet, and no provider asked for the answer."""
    as_if_killed(text="")
    with transaction() as session:
        session.execute(update(WebSearch).values(status="running"))
        session.execute(delete(WebSource))
        if stopped:
            session.execute(update(Run).values(stop_requested=utc_now()))


@pytest.mark.parametrize(
    ("stopped", "status", "search"),
    [(False, "interrupted", ("failed", "interrupted")), (True, "stopped", ("stopped", None))],
)
def test_what_a_worker_that_was_killed_searched_for_is_an_estimate_and_its_answer_was_never_asked(
    provider_id: str, member: User, stopped: bool, status: str, search: tuple[str, str | None]
) -> None:
    begin(member)
    killed_while_searching(stopped=stopped)
    lease_service.end_the_dead()
    code = None if stopped else "interrupted"
    assert web_searching.attempts() == [("search", "settled", code), ("chat", "released", code)]
    assert how_it_was_booked() == [("estimated", status)]
    assert web_searching.entries("chat") == []
    assert message().status == status
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [search]


def test_what_this_process_wrote_and_never_began_was_asked_of_nobody(provider_id: str, member: User) -> None:
    """The reply to its COMMIT was lost."""
    begin(member)
    killed_while_searching()
    with transaction() as session:
        session.execute(update(Run).values(worker=run_service.WORKER))
    lease_service.end_the_dead()
    assert [attempt[:2] for attempt in web_searching.attempts()] == [("search", "released"), ("chat", "released")]
    assert (web_searching.entries(), web_searching.entries("chat")) == ([], [])
    assert [each.status for each in web_searching.searches()] == ["failed"]


def test_what_a_searxng_was_asked_is_billed_by_nobody_there_either(
    provider_id: str, member: User, upstream: ScriptedUpstream
) -> None:
    web_searching.switch_to_searxng(upstream.base_url)
    with transaction() as session:
        free = {"starts_at": utc_now() - timedelta(days=1), "input_hit": 1, "input_miss": 1, "output": 1}
        session.add(Tariff(model="searxng", currency="CNY", **free))
    begin(member)
    killed_while_searching()
    lease_service.end_the_dead()
    (entry,) = web_searching.entries()
    assert (entry.source, entry.model, entry.currency, entry.cost_micros) == ("estimated", "searxng", None, None)


def test_the_same_where_the_conversation_had_gone_before(provider_id: str, member: User) -> None:
    begin(member)
    killed_while_searching()
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
    reaper_service.reap_all()
    assert [attempt[:2] for attempt in web_searching.attempts()] == [("search", "settled"), ("chat", "released")]
    assert how_it_was_booked() == [("estimated", "interrupted")]


def test_the_same_where_the_conversation_goes_now(provider_id: str, member: User, member_client: PageClient) -> None:
    begun = begin(member)
    killed_while_searching()
    member_client.delete(f"/api/conversations/{begun.conversation_id}")
    assert [attempt[:2] for attempt in web_searching.attempts()] == [("search", "settled"), ("chat", "released")]
    assert how_it_was_booked() == [("estimated", "stopped")]


def test_killed_after_the_search_the_answer_is_an_estimate_of_the_whole_prompt(provider_id: str, member: User) -> None:
    begin(member)
    wait()
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        session.execute(update(Run).values(status="running", lease_expires_at=long_ago, worker="killed"))
        session.execute(update(Message).where(Message.role == "assistant").values(status="running", text=""))
        chats = update(Attempt).where(Attempt.channel == "chat")
        session.execute(chats.values(state="dispatched", created_at=long_ago))
    ledger.forget(TokenUsage.channel == "chat")
    lease_service.end_the_dead()
    assert how_it_was_booked() == [("reported", "complete")]
    (entry,) = web_searching.entries("chat")
    assert (entry.source, entry.outcome) == ("estimated", "interrupted")
    assert entry.prompt_tokens > 150, "what was found is a part of the prompt"
    assert [search.status for search in web_searching.searches()] == ["found"]


class FoundWithoutDatabase:
    """The database goes away while the engine answers."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Pages().play(reply, request)


@pytest.fixture
def retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    monkeypatch.setattr(lookup, "PAUSE_SECONDS", 0.05)


def following(member: User) -> Iterator[ServerEvent]:
    begun = begin(member)
    for frame in run_service.read(member, begun.run_id, after=0, locale="en"):
        yield from events_of(frame)


def test_a_database_that_stays_away_ends_the_answer_before_anybody_is_asked(
    provider_id: str,
    member: User,
    upstream: ScriptedUpstream,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    retried: None,
) -> None:
    monkeypatch.setattr(lookup, "SAVE_SECONDS", 0.2)
    upstream.script(FoundWithoutDatabase(), path=SEARCH)
    told = []
    for event in following(member):
        told.append((event.name, event.data.get("code")))
        if event.data.get("code") == "not_saved_yet":
            database.connect(database_url)
    assert told == [
        ("start", None),
        ("searching", None),
        ("error", "not_saved_yet"),
        ("error", "database_unavailable"),
    ]
    wait()
    assert web_searching.attempts() == [
        ("search", "settled", None),
        ("chat", "released", "database_unavailable"),
    ]
    assert how_it_was_booked() == [("reported", "complete")]
    assert [search.status for search in web_searching.searches()] == ["found"]
    assert (len(web_searching.sources()), upstream.journal.chats) == (2, [])


def test_one_that_comes_back_in_time_is_waited_for(
    provider_id: str, member: User, upstream: ScriptedUpstream, database_url: str, retried: None
) -> None:
    upstream.script(FoundWithoutDatabase(), path=SEARCH)
    events = following(member)
    assert [next(events).name for _ in range(2)] == ["start", "searching"]
    wait_until(lambda: bool(upstream.journal.searches and upstream.journal.searches[0].finished_at))
    database.connect(database_url)
    assert next(events).name == "sources"
    assert list(events)[-1].name == "done"
    wait()
    assert web_searching.attempts() == [("search", "settled", None), ("chat", "settled", None)]
