"""Questions whose documents could not be searched by meaning: words rank alone, the answer goes on, all is booked."""

import threading
import time
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from flask_app import database
from flask_app.database import transaction
from flask_app.models import ApiKey, ChatModel, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft
from flask_app.services.embedding import meaning
from flask_app.services.files.document_parts import Wanted
from flask_app.services.ledger import journal, replay_service
from flask_app.services.runs import reaper_service
from tests.routes.journal.answers import NOWHERE, ORIGIN
from tests.support import ledger_oracle, limits, meant
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import Answer, Embedded, Received, ScriptedUpstream, Stall, Status
from tests.support.upstream_embeddings import EMBEDDINGS
from tests.support.upstream_reply import Reply


@pytest.fixture
def book(member_client: PageClient) -> dict[str, Any]:
    return meant.book(member_client)


def keys() -> list[tuple[str | None, bool]]:
    with transaction() as session:
        return [(key.last_error_code, key.benched_until is not None) for key in session.scalars(select(ApiKey))]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (Status(500), "upstream_failed"),
        (Status(503), "upstream_overloaded"),
        (Status(429, retry_after=60), "upstream_busy"),
        (Status(404), "embeddings_not_offered"),
        (Status(400), "upstream_rejected"),
    ],
)
def test_a_refusal_costs_nothing_and_benches_no_key(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any], script: Status, code: str
) -> None:
    meant.switch_on(upstream, script)
    assert meant.search(member_client, book).status_code == 200, "the answer goes on, by the same key"
    assert meant.found_by() == ["failed"]
    assert (meant.attempts(), meant.entries(), meant.kept()) == ([("released", code)], [], [])
    assert keys() == [(None, False)]
    ledger_oracle.check(upstream.journal, ())


class Looking:
    """Answers, and notes how the keys stand meanwhile."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, bool]] = []

    def play(self, reply: Reply, request: Received) -> None:
        self.seen += keys()
        Answer("hello").play(reply, request)


@pytest.mark.parametrize(("status", "benched"), [(402, ("upstream_no_balance", True)), (503, (None, False))])
def test_a_key_that_nobody_can_use_is_benched_all_the_same(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    book: dict[str, Any],
    status: int,
    benched: tuple[str | None, bool],
) -> None:
    meant.switch_on(upstream, Status(status))
    upstream.script(looking := Looking())
    assert meant.search(member_client, book).status_code == 200
    assert looking.seen == [benched]


@pytest.mark.parametrize("script", [Embedded(junk=b"{"), Embedded(count=7), Embedded(cut_at=40)])
def test_what_cannot_be_read_is_booked_as_an_estimate(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any], script: Embedded
) -> None:
    meant.switch_on(upstream, script)
    assert meant.search(member_client, book).status_code == 200
    assert meant.found_by() == ["failed"]
    assert [state for state, _ in meant.attempts()] == ["settled" if script.cut_at else "released"]


@pytest.mark.parametrize("vector", [[0.0, 0.0], [], [1.0] * 8_193])
def test_what_is_no_vector_is_booked_and_not_kept(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any], vector: list[float]
) -> None:
    meant.switch_on(upstream, Embedded(means=lambda _: vector))
    assert meant.search(member_client, book).status_code == 200
    assert (meant.found_by(), len(meant.entries()), meant.kept()) == (["failed"], 1, [])


def test_a_provider_that_takes_fewer_inputs_is_asked_for_fewer(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    meant.switch_on(upstream, AtMostTen())
    assert meant.search(member_client, book).status_code == 200
    assert meant.found_by() == ["meaning"]
    assert max(len(each.body["input"]) for each in meant.requests(upstream) if each.status == 200) == 10
    ledger_oracle.check(upstream.journal, ())


class AtMostTen:
    def play(self, reply: Reply, request: Received) -> None:
        script = Embedded(means=meant.means) if len(request.body["input"]) <= 10 else Status(400)
        script.play(reply, request)


def test_a_budget_without_room_is_said(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    """There is room for the question's vector and for the answer, and none for the passages."""
    meant.switch_on(upstream)
    with transaction() as session:
        session.execute(update(ChatModel).values(context_tokens=4_000))
    limits.limit(12_000, scope="user", scope_id=member.id)
    reply = meant.search(member_client, book)
    assert reply.status_code == 200, reply.text
    assert meant.found_by() == ["budget"]
    assert [len(each.body["input"]) for each in meant.requests(upstream)] == [1]
    ledger_oracle.check(upstream.journal, ())


def test_a_budget_with_room_for_one_request_at_a_time_is_enough(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    book = meant.book(member_client, 200)
    meant.switch_on(upstream)
    limits.limit(70_000, scope="user", scope_id=member.id)
    meant.search(member_client, book)
    assert meant.found_by() == ["meaning"]


def test_a_key_that_answers_two_at_once_is_enough(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    book = meant.book(member_client, 200)
    meant.switch_on(upstream)
    with transaction() as session:
        session.execute(update(ApiKey).values(max_concurrent=2))
    meant.search(member_client, book)
    assert meant.found_by() == ["meaning"]


def test_what_takes_too_long_is_ended_and_booked(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meaning, "SECONDS", 0.5)
    meant.switch_on(upstream, Stall(before_head=True))
    began = time.monotonic()
    assert meant.search(member_client, book).status_code == 200
    assert time.monotonic() - began < 30, "the provider is silent for a minute"
    assert meant.found_by() == ["late"]
    wait_until(meant.entries)
    assert [(each.source, each.outcome) for each in meant.entries()] == [("estimated", "stopped")]
    ledger_oracle.check(upstream.journal, ())


def test_what_is_not_there_in_time_is_made_with_the_next_question(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = meant.book(member_client, 200)
    meant.switch_on(upstream)
    monkeypatch.setattr(meaning, "MOST_REQUESTS", 1)
    meant.search(member_client, book)
    assert (meant.found_by(), len(meant.kept())) == (["late"], 1)
    monkeypatch.undo()
    before = len(meant.requests(upstream))
    meant.search(member_client, book)
    sent = sum(len(each.body["input"]) for each in meant.requests(upstream)[before:])
    assert sent == 1 + meant.cut(book) - meaning.MOST_INPUTS
    assert sorted(meant.found_by(), key=str) == ["late", "meaning"]


def test_what_a_dead_worker_left_is_booked_as_an_estimate(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    meant.switch_on(upstream)
    meant.search(member_client, book)
    count = len(meant.entries())
    as_if_killed()
    wait_until(lambda: not reaper_service.reap_all())
    assert [state for state, _ in meant.attempts()] == ["settled"] * count
    assert {(each.source, each.outcome) for each in meant.entries()} == {("estimated", "interrupted")}


class WithoutDatabase:
    """The database goes away while the provider replies."""

    def play(self, reply: Reply, request: Received) -> None:
        database.connect(NOWHERE)
        Embedded(means=meant.means).play(reply, request)


def test_a_database_that_is_away_has_it_later(
    member: User, upstream: ScriptedUpstream, book: dict[str, Any], database_url: str
) -> None:
    meant.switch_on(upstream)
    upstream.forget_scripts()
    upstream.script(WithoutDatabase(), path=EMBEDDINGS)
    wanted = (Wanted(book["id"], "search"),)
    with pytest.raises(SQLAlchemyError):
        chat_service.send(member, Draft(text=meant.QUESTION, files=wanted), ORIGIN)
    database.connect(database_url)
    assert (len(journal.waiting()), meant.entries()) == (1, [])
    replay_service.replay()
    assert [(each.source, each.outcome) for each in meant.entries()] == [("reported", "complete")]
    assert not journal.waiting()


@pytest.mark.parametrize(("to_be_had", "found_by"), [(0, "failed"), (2, "meaning")])
def test_where_threads_are_short_the_question_is_answered_all_the_same(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    book: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    to_be_had: int,
    found_by: str,
) -> None:
    """One asks for the question's vector, and one for all of the passages."""
    start, left = threading.Thread.start, to_be_had

    def few_to_be_had(thread: threading.Thread) -> None:
        nonlocal left
        if thread.name == "vectors":
            if not left:
                raise RuntimeError("can't start new thread")
            left -= 1
        start(thread)

    meant.switch_on(upstream)
    monkeypatch.setattr(threading.Thread, "start", few_to_be_had)
    assert meant.search(member_client, book).status_code == 200
    assert meant.found_by() == [found_by]
    assert {state for state, _ in meant.attempts()} == ({"settled"} if to_be_had else set())
    ledger_oracle.check(upstream.journal, ())
