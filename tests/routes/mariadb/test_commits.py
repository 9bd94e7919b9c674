"""The COMMIT that writes a question gets no reply: it is asked once, or not at all, and never unreserved."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from flask_app.database import Base, reading, transaction, utc_now
from flask_app.models import Attempt, Message, Run, TokenUsage
from flask_app.services.chat import beginning, chat_service, continue_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.completion import failover
from flask_app.services.ledger import replay_service
from flask_app.services.providers import model_service
from flask_app.services.runs import closing, run_service, shutdown, stop_service
from tests.routes.mariadb.site import ANSWER, ORIGIN, Site
from tests.support.brokers import wait_until
from tests.support.events import events_of
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_faults import Status

LAPSED = utc_now() - timedelta(minutes=5)


def test_a_message_whose_commit_is_not_confirmed_is_answered_all_the_same(
    site: Site, upstream: ScriptedUpstream
) -> None:
    """With a fresh lease: it may have taken long to find out."""
    upstream.script(ANSWER)
    model_service.prepare()  # commits the environment's key
    site.proxy.lose_the_next_commit(lambda: change(Run, lease_expires_at=LAPSED))
    begun = chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    assert site.proxy.lost.is_set()
    told = b"".join(run_service.read(site.actor, begun.run_id, after=0, locale="en"))
    assert events_of(told)[-1].data["status"] == "complete"
    assert len(upstream.journal.chats) == 1
    assert attempts() == ["settled"]
    with reading() as session:
        assert session.scalars(select(Run.lease_expires_at)).one() > utc_now()


def reap() -> None:
    """As another instance would."""
    change(Attempt, state="settled")
    change(Run, status="interrupted")


def test_a_message_that_a_reaper_elsewhere_ended_before_it_was_found_is_not_asked(
    site: Site, upstream: ScriptedUpstream
) -> None:
    model_service.prepare()
    site.proxy.lose_the_next_commit(reap)
    with pytest.raises(OperationalError):
        chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    assert (run_service.live_runs(), doubts(), len(upstream.journal.chats)) == ([], [], 0)


def test_a_programs_request_that_a_reaper_elsewhere_ended_before_it_was_found_is_not_asked(
    site: Site, app: Flask, upstream: ScriptedUpstream
) -> None:
    model_service.prepare()
    program = Program(app, made(site.actor).secret)
    assert program.complete().status_code == 200  # notes that the token is used
    site.proxy.lose_the_next_commit(reap)
    assert program.complete().status_code == 503
    assert (run_service.live_runs(), len(upstream.journal.chats)) == ([], 1)


def test_another_attempt_that_a_reaper_elsewhere_ended_before_it_was_found_is_not_asked(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pause(*_: object) -> float:
        site.proxy.lose_the_next_commit(reap)
        return 0

    monkeypatch.setattr(failover.Turn, "pause", pause)
    upstream.script(Status(503), ANSWER)
    begun = chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
    b"".join(run_service.read(site.actor, begun.run_id, after=0, locale="en"))
    assert site.proxy.lost.is_set()
    assert len(upstream.journal.chats) == 1


def refused_in_doubt(site: Site, ask: Callable[[], object], *, delivers: bool) -> None:
    """What `ask` writes has no reply to its COMMIT, and nobody can say what became of it."""
    site.proxy.hang_at_the_next_commit(delivers=delivers)
    with pytest.raises(OperationalError):
        ask()
    assert site.proxy.lost.is_set()
    assert run_service.live_runs() == []
    site.proxy.mend()


def attempts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attempt.state)))


def change(kind: type[Base], **values: object) -> None:
    with transaction() as session:
        session.execute(update(kind).values(**values))


def doubts() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("doubt-")]


def test_a_message_that_is_committed_late_is_answered_once(site: Site, upstream: ScriptedUpstream) -> None:
    upstream.default = ANSWER
    model_service.prepare()
    draft = Draft(text="hello", idempotency_key="the same")
    refused_in_doubt(site, lambda: chat_service.send(site.actor, draft, ORIGIN), delivers=True)
    again = chat_service.send(site.actor, draft, ORIGIN)
    told = b"".join(run_service.read(site.actor, again.run_id, after=0, locale="en"))
    assert events_of(told)[-1].data["status"] == "complete"
    assert len(upstream.journal.chats) == 1
    with reading() as session:
        assert session.scalars(select(TokenUsage.source)).all() == ["reported"]
    assert attempts() == ["settled"]


def test_a_message_whose_commit_never_arrives_is_forgotten(site: Site, upstream: ScriptedUpstream) -> None:
    model_service.prepare()
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=False)
    wait_until(lambda: not doubts())
    assert run_service.live_runs() == []
    assert (attempts(), len(upstream.journal.chats)) == ([], 0)


def test_what_a_reaper_elsewhere_ended_meanwhile_is_not_asked(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "ASK_SECONDS", 5)
    model_service.prepare()
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=True)
    wait_until(lambda: attempts() != [])
    change(Run, status="interrupted")
    wait_until(lambda: not doubts())
    assert len(upstream.journal.chats) == 0


def test_a_message_in_doubt_that_is_stopped_ends_as_soon_as_it_is_known(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "ASK_SECONDS", 5)
    upstream.default = Answer("word " * 200, tokens_per_second=10)
    model_service.prepare()
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=True)
    wait_until(lambda: attempts() != [])
    with reading() as session:
        run_id = session.scalars(select(Run.id)).one()
    assert stop_service.stop(site.actor, run_id) == "stopping"
    wait_until(lambda: not doubts())
    stop_service.look()
    wait_until(lambda: not run_service.live_runs())
    assert answers() == [("stopped", None)]


def test_a_message_in_doubt_is_not_asked_by_a_process_that_is_closed(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "ASK_SECONDS", 3)
    model_service.prepare()
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=True)
    monkeypatch.setattr(closing, "_is_closed", False)  # and again at the end
    assert doubts(), "nobody knows yet"
    shutdown.finish()
    assert (run_service.live_runs(), len(site.files())) == ([], 1)
    wait_until(lambda: not doubts())
    assert (run_service.live_runs(), len(site.files())) == ([], 1)
    wait_until(lambda: attempts() != [])
    replay_service.replay()
    assert (attempts(), site.files(), len(upstream.journal.chats)) == (["released"], [], 0)
    assert answers() == [("interrupted", "interrupted")]
    with reading() as session:
        run = session.scalars(select(Run)).one()
        assert run.status == "interrupted"
        assert session.scalars(select(TokenUsage.id)).all() == []
    assert continue_service.is_no_new_message(site.actor, run.id, None)


def test_a_doubt_that_comes_up_in_a_process_that_is_closed_is_not_waited_for(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_service.prepare()
    monkeypatch.setattr(closing, "is_closed", lambda: True)  # since the transaction began
    refused_in_doubt(site, lambda: chat_service.send(site.actor, Draft(text="hello"), ORIGIN), delivers=True)
    assert (doubts(), len(site.files())) == ([], 1)
    wait_until(lambda: attempts() != [])
    replay_service.replay()
    assert (attempts(), site.files(), len(upstream.journal.chats)) == (["released"], [], 0)


def answers() -> list[tuple[str, str | None]]:
    query = select(Message.status, Message.error_code).where(Message.role == "assistant")
    with reading() as session:
        return [(status, error_code) for status, error_code in session.execute(query)]


def test_a_programs_request_that_is_committed_late_is_not_asked_and_costs_nothing(
    site: Site, app: Flask, upstream: ScriptedUpstream
) -> None:
    model_service.prepare()
    program = Program(app, made(site.actor).secret)
    site.proxy.hang_at_the_next_commit(delivers=True)
    assert program.complete().status_code == 503
    site.proxy.mend()
    assert len(site.files()) == 1
    wait_until(lambda: attempts() != [])
    replay_service.replay()
    assert (attempts(), site.files(), len(upstream.journal.chats)) == (["released"], [], 0)
    with reading() as session:
        assert session.scalars(select(Run.id)).all() == []
        assert session.scalars(select(TokenUsage.id)).all() == []


def test_a_doubt_that_nobody_can_end_now_is_asked_about_again(
    site: Site, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "ASK_SECONDS", 0.1)
    upstream.default = ANSWER
    model_service.prepare()
    site.proxy.hang_at_the_next_commit(delivers=True)
    with capture_logs() as logged:
        with pytest.raises(OperationalError):
            chat_service.send(site.actor, Draft(text="hello"), ORIGIN)
        wait_until(lambda: "run_in_doubt" in [each["event"] for each in logged])
        assert len(upstream.journal.chats) == 0
        site.proxy.mend()
        wait_until(lambda: not doubts())
    wait_until(lambda: attempts() == ["settled"])
    assert len(upstream.journal.chats) == 1
