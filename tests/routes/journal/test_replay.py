"""What a killed worker left on disk reaches the ledger once."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import delete, select
from structlog.testing import capture_logs

from flask_app import database
from flask_app.database import new_id, reading, transaction
from flask_app.domain import events
from flask_app.models import Conversation, Message, Run, User
from flask_app.services.completion.attempts import Bounds, Outcome
from flask_app.services.ledger import journal, replay_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs import lease_service
from tests.routes.journal.answers import NOWHERE, WHOLE, assert_exact, entries, message, states
from tests.support import calls
from tests.support.clients import PageClient


def test_a_killed_workers_answer_is_replayed_whole_and_exact(journalled: Path) -> None:
    lease_service.tick()
    assert (message().status, message().text, message().finish_reason) == ("complete", WHOLE, "stop")
    assert_exact()
    assert not journalled.exists()
    assert not (journalled.parent / "aside").exists()


def test_replaying_twice_is_replaying_once(journalled: Path) -> None:
    content = journalled.read_bytes()
    replay_service.replay()
    journalled.write_bytes(content)
    replay_service.replay()
    assert_exact()
    assert not journalled.exists()
    assert not (journalled.parent / "aside").exists()


def test_an_attempt_that_answers_no_message_is_replayed_too(folder: Path, member: User) -> None:
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=1000, answer=500))
    told = Outcome(text_parts=["whole"], usage=events.Usage(1000, 600, 500, 0))
    assert journal.keep(Settlement(sent=sent, outcome=told, conversation_id=new_id()))
    replay_service.replay()
    assert_exact()
    assert journal.waiting() == set()


def test_an_attempt_that_nobody_was_asked_for_ends_alone(folder: Path, member: User, journalled: Path) -> None:
    run_id = run().id
    sent = calls.dispatch(replace(calls.call_of(member.id), run_id=run_id), Bounds(prompt=1000, answer=500))
    content = journalled.read_bytes()
    journalled.unlink()
    assert journal.keep(journal.unasked(sent))
    replay_service.replay()
    assert (states(), run().status, entries()) == (["dispatched", "released"], "running", [])
    journalled.write_bytes(content)
    replay_service.replay()
    assert ([entry.source for entry in entries()], run().status) == (["reported"], "complete")


def run() -> Run:
    with reading() as session:
        return session.scalars(select(Run)).one()


def test_a_replay_without_a_database_keeps_the_file(journalled: Path, database_url: str) -> None:
    database.connect(NOWHERE)
    replay_service.replay()
    assert journalled.exists()
    database.connect(database_url)
    replay_service.replay()
    assert_exact()


def test_of_a_deleted_conversation_only_the_count_is_kept(journalled: Path) -> None:
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
    lease_service.tick()
    assert_exact()
    assert not journalled.exists()
    with reading() as session:
        assert session.scalars(select(Message)).all() == []


def test_deleting_a_conversation_books_what_waits_for_it(journalled: Path, member_client: PageClient) -> None:
    conversation_id = message().conversation_id
    assert member_client.delete(f"/api/conversations/{conversation_id}").status_code == 204
    assert_exact()
    assert not journalled.exists()


def test_what_was_replayed_is_said(journalled: Path) -> None:
    with capture_logs() as logged:
        replay_service.replay()
    (attempt_id,) = (entry.attempt_id for entry in entries())
    told = {"event": "replayed", "log_level": "info", "attempt": attempt_id, "run": run().id}
    assert [each for each in logged if each["event"] == "replayed"] == [told]
