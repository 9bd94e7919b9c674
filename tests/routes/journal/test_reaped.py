"""The journal and the reaper: who ends an answer, and whose words stay."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app import database
from flask_app.database import new_id, transaction, utc_now
from flask_app.models import Message, Run, User
from flask_app.services.completion import settling
from flask_app.services.ledger import journal, rollup
from flask_app.services.runs import lease_service, reaper_service
from tests.routes.journal.answers import (
    NOWHERE,
    WHOLE,
    AnswerWithoutDatabase,
    assert_exact,
    code,
    entries,
    following,
    message,
)
from tests.support.brokers import PATIENCE
from tests.support.clients import PageClient
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import ScriptedUpstream


def test_the_reaper_leaves_to_the_journal_what_cannot_be_replayed_yet(
    journalled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("a sum that cannot be added to")

    with monkeypatch.context() as patched:
        patched.setattr(rollup, "addition", failing)
        lease_service.tick()
    assert (message().status, entries()) == ("running", [])
    lease_service.tick()
    assert_exact()


def test_a_file_that_cannot_be_read_leaves_its_run_to_the_reaper(journalled: Path) -> None:
    journalled.write_bytes(b'{"version":1,"sent":')
    lease_service.tick()
    assert (message().status, message().text) == ("interrupted", WHOLE[:9])
    assert [entry.source for entry in entries()] == ["estimated"]
    assert [file.suffix for file in (journalled.parent / "aside").iterdir()] == [".unreadable"]


def reaped_elsewhere(journalled: Path) -> None:
    """The reaper of a machine that does not have the journal was quicker."""
    content = journalled.read_bytes()
    journalled.unlink()
    with transaction() as session:
        assert reaper_service.reap(session, session.scalars(select(Run.id)).one())
    journalled.write_bytes(content)


def test_after_a_reapers_estimate_the_words_come_back_and_the_count_is_set_aside(journalled: Path) -> None:
    reaped_elsewhere(journalled)
    assert message().text != WHOLE
    lease_service.tick()
    assert (message().status, message().text) == ("interrupted", WHOLE)
    assert [entry.source for entry in entries()] == ["estimated"], "what is booked stays booked"
    assert not journalled.exists()
    (aside,) = (journalled.parent / "aside").iterdir()
    assert b'"prompt_tokens":1000' in aside.read_bytes()
    assert WHOLE not in aside.read_text()


def test_words_that_a_reader_has_seen_come_back_from_a_worker_that_was_cut_off(
    folder: Path, member: User, upstream: ScriptedUpstream, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine ended the answer, with the words that had been kept by then."""
    tried, reaped, settle = threading.Event(), threading.Event(), settling.settle

    def settle_once_reaped(*arguments: Any, **options: Any) -> Any:
        assert not tried.is_set() or reaped.wait(PATIENCE)
        tried.set()  # without a database
        return settle(*arguments, **options)

    monkeypatch.setattr("flask_app.services.runs.run_service.settle", settle_once_reaped)
    upstream.script(AnswerWithoutDatabase())
    for event in following(member):
        if code(event) == "not_saved_yet":
            database.connect(database_url)
            with transaction() as session:
                session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(minutes=5)))
                session.execute(update(Message).where(Message.role == "assistant").values(text=WHOLE[:9]))
            reaped_elsewhere(*folder.glob("*.json"))
            assert message().text == WHOLE[:9]
            reaped.set()
    assert code(event) == "interrupted"
    assert (message().status, message().text) == ("interrupted", WHOLE)
    assert [entry.source for entry in entries()] == ["estimated"], "what is booked stays booked"
    assert journal.count_aside() == 1
    assert journal.waiting() == set()


def test_words_do_not_come_back_over_a_later_run(journalled: Path) -> None:
    reaped_elsewhere(journalled)
    with transaction() as session:
        first = session.scalars(select(Run)).one()
        ids = {name: getattr(first, name) for name in ("user_id", "conversation_id", "user_message_id", "message_id")}
        soon = utc_now() + timedelta(minutes=1)
        session.add(Run(id=new_id(), **ids, status="interrupted", worker="another", lease_expires_at=soon))
    lease_service.tick()
    assert message().text == WHOLE[:9]


def test_words_of_a_later_run_stay_whatever_the_clocks_said(journalled: Path) -> None:
    """The instance that came back had a clock that was ahead: the later run's id is the smaller one."""
    reaped_elsewhere(journalled)
    said = f"{message().text} and the words of the later run"
    with transaction() as session:
        first = session.scalars(select(Run)).one()
        ids = {name: getattr(first, name) for name in ("user_id", "conversation_id", "user_message_id", "message_id")}
        later = Run(id="0" * 26, **ids, status="stopped", worker="another", text_before=1, reasoning_before=0)
        later.lease_expires_at = utc_now()
        session.add(later)
        session.execute(update(Message).where(Message.role == "assistant").values(status="stopped", text=said))
    lease_service.tick()
    assert message().text == said


def test_after_an_outage_every_worker_has_the_time_to_renew(
    member_client: PageClient, upstream: ScriptedUpstream, folder: Path, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    member_client.post("/api/chat", json={"message": "hello"}, headers={"Accept": "application/json"})
    as_if_killed()
    database.connect(NOWHERE)
    lease_service._round_of_leases(lease_service.tick)
    database.connect(database_url)
    lease_service._round_of_leases(lease_service.tick)
    assert message().status == "running"
    monkeypatch.setattr(lease_service, "_reaping_from", 0.0)
    lease_service._round_of_leases(lease_service.tick)
    assert message().status == "interrupted"
