"""A conversation that was deleted elsewhere, also in the very moment in which something is done with it."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from flask_app import config, database
from flask_app.database import reading
from flask_app.models import Attempt, Conversation, Message, Run, TokenUsage, User
from flask_app.services.conversations import conversation_service
from flask_app.services.runs import run_service
from tests.support.another_worker import Following
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

JSON = {"Accept": "application/json", "Accept-Language": "en"}
Act = Callable[[PageClient, dict[str, Any]], Any]

ACTS: dict[str, Act] = {
    "send": lambda client, there: client.post(
        "/api/chat", json={"message": "more", "conversation_id": there["conversation_id"]}, headers=JSON
    ),
    "go on": lambda client, there: client.post(f"/api/runs/{there['run_id']}/continue", json={}, headers=JSON),
    "rename": lambda client, there: client.patch(
        f"/api/conversations/{there['conversation_id']}", json={"title": "another"}
    ),
    "open": lambda client, there: client.get(f"/api/conversations/{there['conversation_id']}"),
    "delete": lambda client, there: client.delete(f"/api/conversations/{there['conversation_id']}"),
    "follow": lambda client, there: client.get(f"/api/runs/{there['run_id']}/events"),
    "stop": lambda client, there: client.post(f"/api/runs/{there['run_id']}/stop", json={}),
}
# Where MariaDB lets another transaction in between; SQLite has one writer, so there it happens just before.
MOMENTS = {
    "send": "INSERT INTO messages",
    "go on": "UPDATE messages",
    "rename": "UPDATE conversations",
    "delete": "status_1)s FOR UPDATE",  # what is being written there: from then on the other deletion waits
}


@pytest.fixture
def there(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A conversation whose answer may be gone on with."""
    upstream.script(Answer("cut here", finish_reason="length"))
    told = member_client.post("/api/chat", json={"message": "hello"}, headers=JSON).json
    wait_until(lambda: not run_service.live_runs())  # who has told the end is still here for a moment
    upstream.journal.clear()
    return dict(told or {})


def left() -> list[int]:
    with reading() as session:
        kinds = (Conversation, Message, Run, Attempt, TokenUsage)
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


@pytest.mark.parametrize("act", ACTS)
def test_it_is_told_that_it_is_not_there_and_nothing_is_billed(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, there: dict[str, Any], act: str
) -> None:
    conversation_service.remove(member, there["conversation_id"])
    response = ACTS[act](member_client, there)
    assert (response.status_code, error_code(response)) == (404, "not_found")
    assert left() == [0, 0, 0, 1, 1], "only what was booked before"
    assert len(upstream.journal.chats) == 0


@pytest.mark.each_case
@pytest.mark.parametrize("act", MOMENTS)
def test_the_same_where_it_is_deleted_in_this_very_moment(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, there: dict[str, Any], act: str
) -> None:
    moment = "login_sessions" if database.engine().dialect.name == "sqlite" else MOMENTS[act]
    with just_before(moment, lambda: conversation_service.remove(member, there["conversation_id"])) as deleted:
        response = ACTS[act](member_client, there)
    assert deleted.is_set(), "otherwise this proves nothing"
    if act != "delete" or response.status_code != 204:
        assert (response.status_code, error_code(response)) == (404, "not_found")
    assert left() == [0, 0, 0, 1, 1]
    assert len(upstream.journal.chats) == 0


def test_a_question_that_is_deleted_before_it_is_asked_again_is_not_there(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, there: dict[str, Any]
) -> None:
    """Between the look for it and the first word of the transaction."""
    path = f"/api/messages/{there['user_message_id']}/answers"
    with just_before("FROM api_keys", lambda: conversation_service.remove(member, there["conversation_id"])) as deleted:
        response = member_client.post(path, json={}, headers=JSON)
    assert deleted.is_set(), "otherwise this proves nothing"
    assert (response.status_code, error_code(response)) == (404, "not_found")
    assert left() == [0, 0, 0, 1, 1]
    assert len(upstream.journal.chats) == 0


def test_who_may_ask_no_more_hears_of_a_conversation_that_is_not_there(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    config.install(dataclasses.replace(config.current(), max_runs_per_user=0))
    for body, answer in (
        ({"message": "more", "conversation_id": "0" * 26}, (404, "not_found")),
        ({"message": "more"}, (429, "too_many_runs")),
    ):
        response = member_client.post("/api/chat", json=body, headers=JSON)
        assert (response.status_code, error_code(response)) == answer


def test_nothing_follows_a_message_that_is_not_there(
    member_client: PageClient, upstream: ScriptedUpstream, there: dict[str, Any]
) -> None:
    body = {"message": "more", "conversation_id": there["conversation_id"], "parent_id": "0" * 26}
    response = member_client.post("/api/chat", json=body, headers=JSON)
    assert (response.status_code, error_code(response)) == (404, "not_found")
    assert len(upstream.journal.chats) == 0


@contextmanager
def just_before(statement: str, work: Callable[[], None]) -> Iterator[threading.Event]:
    """Do `work` on another thread, wholly, before the first statement that contains those words is run on this one."""
    here, done = threading.get_ident(), threading.Event()

    def look(_connection: Any, _cursor: Any, running: str, *_: Any) -> None:
        if statement in running and threading.get_ident() == here and not done.is_set():
            done.set()
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield done
    finally:
        event.remove(Engine, "before_cursor_execute", look)


def test_readers_of_an_answer_in_the_making_are_told_and_it_is_settled(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("word " * 2000, tokens_per_second=100))
    response = member_client.post(
        "/api/chat", json={"message": "go"}, headers={"Accept-Language": "en"}, buffered=False
    )
    body: Any = next(iter(response.response))
    start = events_of(body)[0].data
    other = Following(member_client, start["run_id"])
    upstream.journal.wait_for(1)
    assert member_client.delete(f"/api/conversations/{start['conversation_id']}").status_code == 204
    rest = b"".join(response.response)  # type: ignore[arg-type]
    for events in (events_of(rest), other.wait()):
        assert (events[-1].name, events[-1].data["code"]) == ("error", "conversation_gone")
        assert events[-1].data["retryable"] is False
        assert [event.name for event in events].count("done") == 0
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    assert left() == [0, 0, 0, 1, 1]
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["settled"]


def test_an_answer_that_is_only_stopped_says_so_as_before(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("word " * 2000, tokens_per_second=100))
    response = member_client.post("/api/chat", json={"message": "go"}, buffered=False)
    start = events_of(next(iter(response.response)))[0].data  # type: ignore[arg-type]
    member_client.post(f"/api/runs/{start['run_id']}/stop", json={})
    last = events_of(b"".join(response.response))[-1]  # type: ignore[arg-type]
    assert (last.name, last.data["status"]) == ("done", "stopped")
