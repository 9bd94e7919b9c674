"""Links whose worker is killed while the database is away, and those that nobody knows to be committed."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from flask_app import config as settings
from flask_app import database
from flask_app.config import Config
from flask_app.database import in_writing, transaction
from flask_app.models import User, WebSearch, WebSource
from flask_app.services.chat import chat_service, knowledge
from flask_app.services.chat.chat_service import Draft, Sending
from flask_app.services.completion import failover
from flask_app.services.ledger import journal
from flask_app.services.providers import model_service
from flask_app.services.runs import doubt, lease_service, run_service
from flask_app.services.web_search import lookup, searchers
from tests.routes.web_searching.test_unheard_searches import Unheard
from tests.support import ledger_oracle, web_searching
from tests.support.brokers import wait_until
from tests.support.events import events_of
from tests.support.keys import keep_key
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Opened, ScriptedUpstream
from tests.support.upstream_journal import FETCH, Received
from tests.support.upstream_reply import Reply
from tests.support.web_searching import ORIGIN

NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"
QUESTION = "Lighthouse? https://example.com/lantern https://example.com/b"
LINK = "https://example.com/lantern"


@pytest.fixture
def folder(app: Flask, base_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The journal, of this test alone."""
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    monkeypatch.setattr(lookup, "SAVE_SECONDS", 0.1)
    settings.install(dataclasses.replace(base_config, instance_dir=tmp_path))
    yield tmp_path / "journal"
    run_service.shutdown()
    settings.install(base_config)


class OpenedWithoutDatabase:
    """The database goes away while a page is opened."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Opened().play(reply, request)


@pytest.fixture
def journalled(folder: Path, member: User, upstream: ScriptedUpstream, database_url: str) -> dict[Path, bytes]:
    """A worker wrote its journal and was killed: these are the files."""
    web_searching.switch_on()
    upstream.script(OpenedWithoutDatabase(), path=FETCH)
    begun = chat_service.send(member, Draft(text=QUESTION, search=True), ORIGIN)
    files: dict[Path, bytes] = {}
    for frame in run_service.read(member, begun.run_id, after=0, locale="en"):
        if any(event.data.get("code") == "not_saved_yet" for event in events_of(frame)):
            files = {file: file.read_bytes() for file in folder.glob("*.json")}
            database.connect(database_url)
    as_if_killed(text="")
    with transaction() as session:
        session.execute(update(WebSearch).values(status="running"))
        session.execute(delete(WebSource))
    return files


def put_back(files: dict[Path, bytes]) -> None:
    for file, content in files.items():
        file.write_bytes(content)


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
    web_searching.switch_on()
    draft, model = Draft(text=QUESTION, search=True), model_service.find(None)
    sending = Sending(draft, {}, knowledge.NOTHING, searchers.find(member), None)
    asked = (member, sending, model, failover.candidates_for(model), ORIGIN)
    begun, ticket = in_writing(lambda connection: chat_service._write(connection, *asked))
    doubt.forgo(ticket, begun.conversation_id)
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
    upstream.script(Unheard(happens=happens, stays=False), path=FETCH)
    with capture_logs() as logs:
        chat_service.send(member, Draft(text=LINK, search=True), ORIGIN)
        wait_until(lambda: "search_not_tried_again" in [line["event"] for line in logs])
    database.connect(database_url)
    wait_until(lambda: not run_service.live_runs())
    lease_service.tick()
    assert web_searching.entries() == []
    assert [each.status for each in web_searching.searches()] == ["failed"]
    assert (len(upstream.journal.fetches), len(upstream.journal.chats)) == (1, 1)
