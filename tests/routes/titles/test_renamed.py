"""Who has renamed a conversation keeps their title, by whichever version."""

import pytest
from sqlalchemy import update

from flask_app.database import transaction
from flask_app.models import Conversation
from flask_app.services.runs import run_service
from tests.support import titled
from tests.support.brokers import wait_until
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
