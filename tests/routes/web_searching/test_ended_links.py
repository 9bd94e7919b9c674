"""Links whose answer is stopped, whose worker dies, or whose database is away, while they are being opened."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from flask_app import database
from flask_app.database import transaction, utc_now
from flask_app.models import Conversation, Run, User, WebSearch, WebSource
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.runs import lease_service, reaper_service, run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.web_search import asked_together, asking, lookup
from tests.support import ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.keys import keep_key
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Gate, Opened, ScriptedUpstream, Stall, Status
from tests.support.upstream_journal import FETCH, Received
from tests.support.upstream_reply import Reply
from tests.support.web_searching import ORIGIN

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"
QUESTION = "How high is it? https://example.com/a https://example.com/b"
SETTLED = ("search", "settled", None)


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    return web_searching.switch_on()


@pytest.fixture
def held(provider_id: str, member: User, upstream: ScriptedUpstream) -> Begun:
    """An answer both of whose links are on their way; its search is over."""
    upstream.script(Opened(gate=Gate(0)), Opened(gate=Gate(0)), path=FETCH)
    begun = begin(member)
    wait_until(lambda: len(upstream.journal.fetches) == 2)
    wait_until(lambda: all(request.finished_at for request in upstream.journal.searches))
    return begun


def begin(member: User) -> Begun:
    return chat_service.send(member, Draft(text=QUESTION, search=True), ORIGIN)


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


def how_they_went() -> list[tuple[str, str | None]]:
    return [(each.fetched, each.fetch_error) for each in web_searching.sources()]


def how_it_was_booked() -> list[tuple[str, str, str]]:
    return sorted((entry.model, entry.source, entry.outcome) for entry in web_searching.entries())


def test_stopping_ends_all_of_them_at_once(held: Begun, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    wait_until(lambda: bool(upstream.journal.searches))
    assert member_client.post(f"/api/runs/{held.run_id}/stop", json={}).status_code == 202
    wait()
    assert web_searching.attempts() == [SETTLED] * 3 + [("chat", "released", None)]
    assert how_it_was_booked()[:2] == [("deepseek-fetch", "estimated", "stopped")] * 2
    assert how_they_went()[:2] == [("stopped", None)] * 2
    upstream.journal.wait_until_idle()
    assert [request.closed_early for request in upstream.journal.fetches] == [True, True]
    assert upstream.journal.chats == []


def test_the_end_of_the_process_interrupts_them(held: Begun, upstream: ScriptedUpstream) -> None:
    run_service.shutdown()
    assert web_searching.attempts() == [SETTLED] * 3 + [("chat", "released", None)]
    assert how_it_was_booked()[:2] == [("deepseek-fetch", "estimated", "interrupted")] * 2
    assert how_they_went()[:2] == [("failed", "interrupted")] * 2


def test_with_its_conversation_all_of_it_goes_but_what_it_cost(held: Begun, member_client: PageClient) -> None:
    assert member_client.delete(f"/api/conversations/{held.conversation_id}").status_code == 204
    wait()
    assert (web_searching.searches(), web_searching.sources()) == ([], [])
    assert web_searching.attempts() == [SETTLED] * 3 + [("chat", "released", None)]
    assert len(how_it_was_booked()) == 3


def killed_meanwhile(*, stopped: bool = False) -> None:
    """As the worker left it: nothing was opened yet, and no provider asked for the answer."""
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
def test_what_a_worker_that_was_killed_asked_for_are_estimates_and_its_answer_was_never_asked(
    provider_id: str, member: User, stopped: bool, status: str, search: tuple[str, str | None]
) -> None:
    begin(member)
    killed_meanwhile(stopped=stopped)
    lease_service.end_the_dead()
    code = None if stopped else "interrupted"
    assert web_searching.attempts() == [("search", "settled", code)] * 3 + [("chat", "released", code)]
    assert how_it_was_booked() == [
        *[("deepseek-fetch", "estimated", status)] * 2,
        ("deepseek-search", "estimated", status),
    ]
    assert {entry.cost_micros for entry in web_searching.entries()} == {5000}
    assert [(each.status, each.error_code) for each in web_searching.searches()] == [search]
    lease_service.end_the_dead()
    assert len(web_searching.entries()) == 3


@pytest.mark.parametrize("gone", [True, False])
def test_the_same_where_the_conversation_goes(
    provider_id: str, member: User, member_client: PageClient, gone: bool
) -> None:
    begun = begin(member)
    killed_meanwhile()
    if gone:
        with transaction() as session:
            session.execute(delete(Run))
            session.execute(delete(Conversation))
        reaper_service.reap_all()
    else:
        member_client.delete(f"/api/conversations/{begun.conversation_id}")
    assert [attempt[:2] for attempt in web_searching.attempts()] == [SETTLED[:2]] * 3 + [("chat", "released")]
    assert len(how_it_was_booked()) == 3


class OpenedWithoutDatabase:
    """The database goes away while a page is opened."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Opened().play(reply, request)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_database_that_is_away_is_waited_for_a_while(
    provider_id: str,
    member: User,
    upstream: ScriptedUpstream,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    comes_back: bool,
) -> None:
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    monkeypatch.setattr(lookup, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(lookup, "SAVE_SECONDS", 30 if comes_back else 0.2)
    upstream.script(OpenedWithoutDatabase(), path=FETCH)
    begun = begin(member)
    told: list[str] = []
    for frame in run_service.read(member, begun.run_id, after=0, locale="en"):
        events = events_of(frame)
        told += [event.name for event in events]
        back = "searching" if comes_back else "error"
        if back in {event.name for event in events}:
            wait_until(lambda: len(upstream.journal.fetches) == 2 and all(e.finished_at for e in upstream.journal))
            database.connect(database_url)
    wait()
    ended = "settled" if comes_back else "released"
    assert [attempt[:2] for attempt in web_searching.attempts()] == [SETTLED[:2]] * 3 + [("chat", ended)]
    assert {(entry.source, entry.outcome) for entry in web_searching.entries()} == {("reported", "complete")}
    assert [how for how, _ in how_they_went()[:2]] == ["opened", "opened"]
    assert len(upstream.journal.chats) == int(comes_back)
    assert told[-1] == ("done" if comes_back else "error")
    ledger_oracle.check(upstream.journal, ())


def test_where_one_key_fails_the_next_opens_it(provider_id: str, member: User, upstream: ScriptedUpstream) -> None:
    keep_key(provider_id, "second", priority=1)
    upstream.script(Status(500), path=FETCH, key="test-key")
    begin(member)
    wait()
    assert [how for how, _ in how_they_went()[:2]] == ["opened", "opened"]
    assert [attempt[:2] for attempt in web_searching.attempts()].count(("search", "released")) == 1
    assert len(upstream.journal.fetches) == 3
    ledger_oracle.check(upstream.journal, ())


@pytest.mark.parametrize(("before_head", "state"), [(True, "released"), (False, "settled")])
def test_one_that_takes_too_long_is_broken_off_alone(
    provider_id: str,
    member: User,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
    before_head: bool,
    state: str,
) -> None:
    monkeypatch.setattr(asking, "FETCH_SECONDS", 3)  # the other one is opened meanwhile, on a busy machine too
    upstream.script(Stall(before_head=before_head), path=FETCH)
    begin(member)
    wait()
    assert sorted(how_they_went()[:2]) == [("failed", "upstream_timeout"), ("opened", None)]
    assert ("search", state, "upstream_timeout") in web_searching.attempts()


def test_without_a_thread_to_be_had_one_comes_after_the_other(
    provider_id: str, member: User, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused:
        def __init__(self, **_: Any) -> None: ...

        def start(self) -> None:
            raise RuntimeError

    monkeypatch.setattr(asked_together, "Thread", Refused)
    begin(member)
    wait()
    assert [how for how, _ in how_they_went()[:2]] == ["opened", "opened"]
    ledger_oracle.check(upstream.journal, ())
