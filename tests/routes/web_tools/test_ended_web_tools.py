"""A model's own search whose answer is stopped, whose worker dies, whose database is away, whose budget has no room."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from flask_app import config as settings
from flask_app import database
from flask_app.config import Config
from flask_app.database import transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, Run, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.ledger import journal
from flask_app.services.people import group_access
from flask_app.services.runs import lease_service, run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.tools import tool_rounds
from tests.support import called, ledger_oracle, prices, web_searching
from tests.support.brokers import wait_until
from tests.support.called import calling
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.keys import keep_key
from tests.support.killed import as_if_killed
from tests.support.limits import limit
from tests.support.scripted_upstream import Answer, Gate, Opened, Pages, ScriptedUpstream, Status
from tests.support.unheard import Unheard
from tests.support.upstream_journal import FETCH, SEARCH, Received
from tests.support.upstream_reply import Reply

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"
HIGH = ("web_search", '{"query": "how high"}')
PAGE = ("web_fetch", '{"url": "https://example.com/a"}')
SETTLED = ("search", "settled")


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    return web_searching.switch_on()


@pytest.fixture(params=[HIGH, PAGE], ids=["search", "fetch"])
def held(provider_id: str, member: User, upstream: ScriptedUpstream, request: pytest.FixtureRequest) -> Begun:
    """An answer whose model has called, and whose search or page is on its way."""
    upstream.script(Pages(gate=Gate(0)), path=SEARCH)
    upstream.script(Opened(gate=Gate(0)), path=FETCH)
    upstream.script(calling(request.param), Answer("as you say"))
    begun = begin(member)
    wait_until(lambda: bool(upstream.journal.searches or upstream.journal.fetches))
    return begun


def begin(member: User) -> Begun:
    return chat_service.send(member, Draft(text=called.QUESTION, tools=("web",)), called.ORIGIN)


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


def states() -> list[tuple[str, str]]:
    return [attempt[:2] for attempt in web_searching.attempts()]


CHATS = [("chat", "settled"), ("chat", "released")]


@pytest.mark.parametrize("way", ["stopped", "interrupted", "deleted"])
def test_stopping_ends_it_at_once_and_books_what_was_on_its_way(
    held: Begun, member_client: PageClient, upstream: ScriptedUpstream, way: str
) -> None:
    if way == "stopped":
        assert member_client.post(f"/api/runs/{held.run_id}/stop", json={}).status_code == 202
    elif way == "interrupted":
        run_service.shutdown()
    else:
        assert member_client.delete(f"/api/conversations/{held.conversation_id}").status_code == 204
    wait()
    assert states() == [SETTLED, *CHATS]
    how = "interrupted" if way == "interrupted" else "stopped"
    assert [(entry.source, entry.outcome) for entry in web_searching.entries()] == [("estimated", how)]
    assert (web_searching.sources(), len(upstream.journal.chats)) == ([], 1)
    upstream.journal.wait_until_idle()
    ledger_oracle.check(upstream.journal, ())


@pytest.mark.parametrize("stopped", [True, False])
def test_what_a_worker_that_was_killed_searched_for_is_an_estimate(
    held: Begun, upstream: ScriptedUpstream, stopped: bool
) -> None:
    """Its thread is there still, and comes too late: it books nothing twice."""
    as_if_taken_for_dead()
    if stopped:
        with transaction() as session:
            session.execute(update(Run).values(stop_requested=utc_now()))
    live = run_service._live.pop(held.run_id)
    lease_service.end_the_dead()
    assert states() == [SETTLED, *CHATS]
    how = "stopped" if stopped else "interrupted"
    assert [(entry.source, entry.outcome) for entry in web_searching.entries()] == [("estimated", how)]
    assert called.answer().status == how
    upstream.forget_scripts()
    wait_until(lambda: not live.thread.is_alive())
    assert states() == [SETTLED, *CHATS]
    assert len(web_searching.entries()) == 1


def as_if_taken_for_dead() -> None:
    with transaction() as session:
        long_ago = utc_now() - timedelta(days=365)
        session.execute(update(Run).values(lease_expires_at=long_ago, worker="killed"))


def test_one_that_no_budget_has_room_for_is_not_made_and_the_model_is_told(
    provider_id: str, member: User, upstream: ScriptedUpstream
) -> None:
    """What is left the round after it holds, for as long an answer as that allows."""
    prices.put("deepseek-flash", 1, input_hit=0.02, output=4)  # at whatever hour this runs
    limit(60_000, unit="CNY")
    upstream.script(calling(HIGH), Answer("as you say"))
    upstream.default = Answer("as you say")
    begin(member)
    wait()
    (call,) = called.calls()
    assert (call.status, call.error_code) == ("failed", "budget_held")
    assert "budget_held" in upstream.journal.chats[1].body["messages"][-1]["content"]
    assert (upstream.journal.searches, web_searching.entries()) == ([], [])
    ledger_oracle.check(upstream.journal, ())


class FoundWithoutDatabase:
    """The database goes away while the engine answers."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Pages().play(reply, request)


@pytest.fixture
def folder(app: Flask, base_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The journal, of this test alone."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    monkeypatch.setattr(tool_rounds, "SAVE_SECONDS", 0.2)
    monkeypatch.setattr(tool_rounds, "PAUSE_SECONDS", 0.05)
    settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path / "journal"
    run_service.shutdown()
    settings.install(base_config)


@pytest.mark.parametrize("killed", [True, False])
def test_where_the_database_is_away_the_journal_has_its_counts(
    folder: Path, provider_id: str, member: User, upstream: ScriptedUpstream, database_url: str, killed: bool
) -> None:
    upstream.script(FoundWithoutDatabase(), path=SEARCH)
    upstream.script(calling(HIGH), Answer("as you say"))
    begun = begin(member)
    files: dict[Path, bytes] = {}
    for frame in run_service.read(member, begun.run_id, after=0, locale="en"):
        if any(event.data.get("code") == "not_saved_yet" for event in events_of(frame)):
            files = {file: file.read_bytes() for file in folder.glob("*.json")}
            database.connect(database_url)
    wait()
    assert len(files) == 2, "the search's, and the answer's"
    assert all(b"how high" not in content for content in files.values())
    if killed:
        as_if_killed(text="")
        for file, content in files.items():
            file.write_bytes(content)
    lease_service.tick()
    lease_service.tick()
    assert [state for state in states() if state[0] == "search"] == [SETTLED]
    assert [entry.source for entry in web_searching.entries()] == ["reported"]
    assert (web_searching.sources(), journal.waiting(), journal.count_aside()) == ([], set(), 0)
    assert len(upstream.journal.chats) == 1


@pytest.mark.parametrize("happens", [True, False])
def test_a_commit_without_a_reply_is_asked_for_where_it_is_there_and_else_of_nobody(
    provider_id: str,
    member: User,
    upstream: ScriptedUpstream,
    happens: bool,
) -> None:
    """Of the next key: the first has failed."""
    keep_key(provider_id, "second")
    upstream.script(Unheard(Status(500), happens=happens), path=SEARCH)
    upstream.script(calling(HIGH), Answer("as you say"))
    begin(member)
    wait()
    assert states()[:1] == [("search", "released")]
    assert called.standing()[0][0] == ("done" if happens else "failed")
    upstream.journal.wait_until_idle()
    ledger_oracle.check(upstream.journal, ())


def test_a_run_that_is_over_asks_for_nothing_more(provider_id: str, member: User, upstream: ScriptedUpstream) -> None:
    """Of two calls the first is on its way as somebody takes its worker for dead."""
    gate = Gate(0)
    upstream.script(Pages(gate=gate), path=SEARCH)
    upstream.script(calling(HIGH, HIGH), Answer("as you say"))
    begin(member)
    wait_until(lambda: bool(upstream.journal.searches))
    with transaction() as session:
        session.execute(update(Run).values(status="interrupted"))
    gate.open()
    wait()
    assert [attempt for attempt in states() if attempt[0] == "search"] == [SETTLED]
    assert len(upstream.journal.searches) == 1
    assert len(web_searching.entries()) == 1


class Withdrawn:
    """While the engine answers, an administrator takes the search away."""

    def play(self, reply: Reply, request: Received) -> None:
        group_access.put(Actor(None), DEFAULT_GROUP_ID, web_search=False)
        Pages().play(reply, request)


def test_what_an_administrator_takes_away_is_not_called_any_more(
    provider_id: str, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.script(Withdrawn(), path=SEARCH)
    upstream.script(calling(HIGH, PAGE), Answer("as you say"))
    begin(member)
    wait()
    assert called.standing() == [("done", None), ("failed", "tool_not_granted")]
    assert "may not be used any more" in upstream.journal.chats[1].body["messages"][-1]["content"]
    assert (len(upstream.journal.searches), upstream.journal.fetches) == (1, [])
    ledger_oracle.check(upstream.journal, ())
