"""Who has renamed a conversation keeps their title, by whichever version."""

import threading
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.engine import Engine

from flask_app.database import transaction
from flask_app.models import Conversation, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.completion.attempts import Outcome
from flask_app.services.conversations import title_service
from flask_app.services.runs import run_service
from tests.support import titled
from tests.support.brokers import PATIENCE, wait_until
from tests.support.clients import PageClient
from tests.support.scripted_upstream import ScriptedUpstream, Stall
from tests.support.titled import QUESTION, Held, begin, states


@pytest.mark.parametrize("title", ["My own", QUESTION], ids=["another", "the same"])
def test_who_has_renamed_it_meanwhile_keeps_their_title(
    member_client: PageClient, upstream: ScriptedUpstream, held: Held, title: str
) -> None:
    """Also the title that it had: they have looked at it, and want it so."""
    conversation_id = begin(member_client, upstream)
    assert member_client.patch(f"/api/conversations/{conversation_id}", json={"title": title}).status_code == 200
    held.let_go()
    assert titled.title_of(conversation_id) == title
    assert states() == ["settled"]


def rename_as_before(title: str) -> None:
    """As a version does that knows no model that writes titles, and serves beside this one for a while."""
    with transaction() as session:
        session.execute(update(Conversation).values(title=title))


@pytest.mark.parametrize("by_an_older_version", [False, True])
def test_one_that_was_renamed_while_it_was_answered_asks_nobody(
    member_client: PageClient, upstream: ScriptedUpstream, *, by_an_older_version: bool
) -> None:
    upstream.script(Stall("so far"))
    reply = member_client.post("/api/chat", json={"message": QUESTION}, buffered=False)
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    if by_an_older_version:
        rename_as_before("My own")
    else:
        member_client.patch(f"/api/conversations/{live.begun.conversation_id}", json={"title": "My own"})
    live.stop.stop("stopped")
    reply.close()
    titled.wait()
    assert (titled.requests(upstream), titled.attempts()) == ([], [])


def test_what_an_older_version_renames_meanwhile_stays(
    member_client: PageClient, upstream: ScriptedUpstream, held: Held
) -> None:
    conversation_id = begin(member_client, upstream)
    rename_as_before("My own")
    held.let_go()
    assert titled.title_of(conversation_id) == "My own"
    assert states() == ["settled"]


def test_one_that_is_renamed_just_before_its_title_is_asked_for_asks_nobody(
    member: User, upstream: ScriptedUpstream
) -> None:
    """Whoever would ask has seen it without a name, and finds it with one."""
    titled.forget_the_choice()
    upstream.script(answer := Held("words"))
    begun = chat_service.send(member, Draft(text=QUESTION), Origin(request_id="r", address="192.0.2.1", locale="en"))
    (live,) = run_service.live_runs()
    answer.let_go()
    titled.choose()
    has_seen = threading.Event()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.current_thread().name.startswith("title-") and "titled_by" in statement:
            has_seen.set()

    event.listen(Engine, "after_cursor_execute", note)
    try:
        with transaction() as session:
            session.execute(update(Conversation).values(title="My own"))
            title_service.consider(begun, live.completion.request, Outcome(text_parts=["words"]))
            assert has_seen.wait(PATIENCE)
    finally:
        event.remove(Engine, "after_cursor_execute", note)
    titled.wait()
    assert titled.title_of(begun.conversation_id) == "My own"
    assert (titled.requests(upstream), titled.attempts()) == ([], [])
