"""Every attempt ends, whatever happened between its dispatch and its end."""

import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from flask_app import database, engines
from flask_app.database import reading, transaction, utc_now
from flask_app.models import Attempt, Conversation, Run, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.ledger import rollup
from flask_app.services.runs import doubt, lease_service, reaper_service, run_service
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

ENDLESS = Answer("word " * 2000, tokens_per_second=50)
LAPSED = utc_now() - timedelta(minutes=5)
ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")


def ask(client: PageClient, **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": "hello"} | fields, headers={"Accept": "application/json"}).json


def test_a_conversation_deleted_after_its_worker_died_is_booked_with_its_text(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    answer = ask(member_client)
    as_if_killed()
    assert member_client.delete(f"/api/conversations/{answer['conversation_id']}").status_code == 204
    assert ledger.states() == ["settled"]
    (entry,) = ledger.entries()
    assert (entry.source, entry.outcome) == ("estimated", "stopped")
    assert entry.completion_tokens > 0
    lease_service.tick()
    assert len(ledger.entries()) == 1


def test_an_attempt_whose_run_went_before_its_worker_died_is_booked_once(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    ask(member_client)
    as_if_killed()
    with transaction() as session:
        session.execute(delete(Run))
        session.execute(delete(Conversation))
    for _ in range(2):
        lease_service.tick()
    assert ledger.states() == ["settled"]
    (entry,) = ledger.entries()
    assert (entry.source, entry.completion_tokens) == ("estimated", 0)
    assert entry.prompt_tokens > 0


def test_a_run_whose_lease_was_renewed_meanwhile_is_not_reaped(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    ask(member_client)
    as_if_killed()
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() + timedelta(minutes=1)))
        assert not reaper_service.reap(session, session.scalars(select(Run.id)).one())
    assert ledger.states() == ["dispatched"]


def test_an_attempt_that_is_being_made_is_left_alone(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS)
    begun = chat_service.send(_user(), Draft(text="hello"), ORIGIN)
    upstream.journal.wait_for(1)
    with transaction() as session:
        session.execute(update(Attempt).values(created_at=LAPSED))
        session.execute(delete(Run).where(Run.id == begun.run_id))
    lease_service.tick()
    assert ledger.states() == ["dispatched"]
    run_service.shutdown()
    assert ledger.states() == ["settled"]
    assert len(ledger.entries()) == 1


def test_a_run_that_never_began_is_not_kept_alive_and_costs_nothing(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply to the COMMIT that wrote it is lost, and nobody can say what became of it: nobody makes it."""
    upstream.default = ENDLESS
    chat_service.send(_user(), Draft(text="hello"), ORIGIN)
    upstream.journal.wait_for(1)
    dialect = database._bound().writer.dialect
    commit = dialect.do_commit

    def unheard(connection: Any) -> None:
        commit(connection)
        monkeypatch.undo()
        raise dialect.loaded_dbapi.OperationalError("the connection was lost")

    monkeypatch.setattr(dialect, "do_commit", unheard)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doubt, "renew", lambda *_: False)
        with pytest.raises(OperationalError):
            chat_service.send(_user(), Draft(text="nobody makes this one"), ORIGIN)
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=LAPSED))
    lease_service.tick()
    with reading() as session:
        assert sorted(session.scalars(select(Run.status))) == ["interrupted", "running"]
    assert sorted(ledger.states()) == ["dispatched", "released"]
    assert len(upstream.journal.chats) == 1
    assert ledger.entries() == []


def test_a_run_without_a_thread_is_left_to_the_reaper_and_costs_nothing(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def none_to_be_had(thread: threading.Thread) -> None:
        if thread.name.startswith("run-"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", none_to_be_had)
        with pytest.raises(RuntimeError, match="can't start"):
            chat_service.send(_user(), Draft(text="hello"), ORIGIN)
    assert run_service.live_runs() == []
    assert ledger.states() == ["dispatched"]
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=LAPSED))
    lease_service.tick()
    assert (ledger.states(), ledger.entries(), len(upstream.journal.chats)) == (["released"], [], 0)


def _user() -> User:
    with reading() as session:
        return session.scalars(select(User)).one()


def test_a_fault_while_settling_gives_nothing_up(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        monkeypatch.undo()
        raise ValueError("a sum that cannot be added to")

    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0,))
    monkeypatch.setattr(rollup, "addition", failing)
    assert ask(member_client)["status"] == "complete"
    assert ledger.states() == ["settled"]
    assert len(ledger.entries()) == 1


def test_one_run_that_cannot_be_ended_does_not_keep_the_others_waiting(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(member_client), ask(member_client)
    as_if_killed()
    with reading() as session:
        bad = session.scalars(select(Run.id).order_by(Run.id)).first()
    reap: Callable[..., bool] = reaper_service.reap

    def failing(session: Any, run_id: str) -> bool:
        if run_id == bad:
            raise ValueError("a fault")
        return reap(session, run_id)

    monkeypatch.setattr(reaper_service, "reap", failing)
    with capture_logs() as logged:
        lease_service.tick()
    assert {each["run"] for each in logged if each["event"] == "not_reaped"} == {bad}
    assert sorted(ledger.states()) == ["dispatched", "settled"]


def test_a_providers_own_words_fit_their_columns(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("x", actual_model=" " + "m" * 126 + " m" * 5000, finish_reason="f" * 5000))
    assert ask(member_client)["finish_reason"] == "f" * 64
    (entry,) = ledger.entries()
    assert entry.actual_model == "m" * 126 + "…"


def test_a_hostile_name_of_a_model_harms_neither_tokens_nor_files(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    hostile = "m\u202e\r\n=1+1,\x1b[2J\n"
    upstream.script(
        Answer("one two", usage=Usage(prompt=100, cached=60, completion=40, reasoning=10), actual_model=hostile)
    )
    told = ask(member_client)
    (entry,) = ledger.entries()
    assert (entry.actual_model, entry.source) == ("m =1+1, [2J", "reported")
    assert (entry.prompt_tokens, entry.cached_tokens, entry.completion_tokens, entry.reasoning_tokens) == (
        100,
        60,
        40,
        10,
    )
    details: Any = member_client.get(f"/api/messages/{told['id']}/usage").json
    assert details["actual_model"] == entry.actual_model
    assert len(member_client.get("/api/usage/records/export").text.splitlines()) == 2


@pytest.mark.parametrize("conflict", ["too_many_runs", "answer_running"])
def test_the_second_of_two_equal_sends_gets_the_first_ones_run(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, conflict: str
) -> None:
    draft = Draft(text="hello", conversation_id=ask(member_client)["conversation_id"], idempotency_key="same")
    upstream.default = ENDLESS
    first = chat_service.send(_user(), draft, ORIGIN)
    found = chat_service._earlier
    looks: list[int] = []

    def not_yet(actor: User, draft: Draft, locale: str) -> Any:
        looks.extend([1] if draft.idempotency_key else [])
        return found(actor, draft, locale) if len(looks) > 1 else None

    monkeypatch.setattr(chat_service, "_earlier", not_yet)
    if conflict == "too_many_runs":
        for _ in range(2):
            chat_service.send(_user(), Draft(text="another"), ORIGIN)
    assert chat_service.send(_user(), draft, ORIGIN).run_id == first.run_id
    assert len(looks) == 2
    run_service.shutdown()


def test_another_processs_writer_is_waited_for_asleep(app: Flask, database_url: str) -> None:
    """Inside of SQLite the wait would hold the whole event loop."""
    if not database_url.startswith("sqlite"):
        pytest.skip("about SQLite's lock")
    with transaction() as session:
        assert session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar() == 0
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    ending, began = threading.Timer(0.3, lambda: other.execute("ROLLBACK")), time.monotonic()
    ending.start()
    with database.writing():
        assert 0.2 < time.monotonic() - began < engines.LOCK_SECONDS
    ending.join()
    other.close()
