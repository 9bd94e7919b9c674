"""Whose the vectors of a document are, and when they go."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import KeptFile, PassageVectors, SharedAssistantFile, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.embedding import kept_vectors
from flask_app.services.embedding.kept_vectors import Source
from flask_app.services.files import file_expiry
from flask_app.services.people import account_deletion
from tests.conftest import MakeUser, SignIn
from tests.routes.test_admin_assistants import SHARED
from tests.support import assisted, meant
from tests.support.attached import JSON, asked
from tests.support.clients import PageClient
from tests.support.meant import ANSWER, QUESTION
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def searched(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A book that was searched once, and has its vectors."""
    book = meant.book(member_client)
    meant.switch_on(upstream)
    meant.search(member_client, book)
    assert sum(each.passages for each in meant.kept()) == meant.cut(book)
    return book


@pytest.mark.security("foreign-is-absent")
def test_the_same_content_of_somebody_else_has_its_own(
    member: User,
    upstream: ScriptedUpstream,
    searched: dict[str, Any],
    make_user: MakeUser,
    sign_in: SignIn,
) -> None:
    """They pay for it, and neither hears from the price or the time that the other has it."""
    other = make_user("other")
    client = sign_in(other)
    same = meant.book(client)
    before = len(meant.requests(upstream))
    meant.search(client, same)
    assert sum(len(each.body["input"]) for each in meant.requests(upstream)[before:]) == 1 + meant.cut(same)
    assert {each.user_id for each in meant.entries()} == {member.id, other.id}
    assert {each.file_id for each in meant.kept()} == {searched["id"], same["id"]}


@pytest.mark.security("deleted-is-gone")
def test_they_go_with_what_is_in_the_file(member_client: PageClient, searched: dict[str, Any]) -> None:
    with transaction() as session:
        long_ago = utc_now() - timedelta(days=99)
        session.execute(update(KeptFile).values(created_at=long_ago, sent_at=long_ago))
    assert file_expiry.expire(searched["id"], utc_now() - timedelta(days=30))
    assert meant.kept() == []


def test_they_go_with_the_account(member: User, searched: dict[str, Any]) -> None:
    account_deletion.begin_for(Actor(None), member.id)
    account_deletion.finish()
    assert meant.kept() == []


def test_of_a_file_that_went_meanwhile_none_are_kept(member_client: PageClient, searched: dict[str, Any]) -> None:
    file_expiry.expire(searched["id"], utc_now() + timedelta(days=1))
    kept_vectors.keep(Source(searched["id"]), "m", 0, [b"1234x"])
    kept_vectors.keep(Source("nowhere"), "m", 0, [b"1234x"])
    kept_vectors.keep(Source("nowhere", is_shared=True), "m", 0, [b"1234x"])
    assert meant.kept() == []


def test_vectors_of_another_length_are_made_anew(
    member_client: PageClient, upstream: ScriptedUpstream, searched: dict[str, Any]
) -> None:
    """The provider has another model by the same name now."""
    with transaction() as session:
        (first, *_) = session.scalars(select(PassageVectors).order_by(PassageVectors.first))
        first.vectors = b"12345" * first.passages
        count = first.passages
    before = len(meant.requests(upstream))
    meant.search(member_client, searched)
    assert sum(len(each.body["input"]) for each in meant.requests(upstream)[before:]) == 1 + count
    assert ANSWER in asked(upstream)[0]["content"]


def test_ones_own_assistant_knows_by_meaning_too(
    member_client: PageClient, upstream: ScriptedUpstream, searched: dict[str, Any]
) -> None:
    more = meant.book(member_client, 170, "more.txt")
    assistant = assisted.keep(member_client, files=[searched["id"], more["id"]])
    before = len(meant.requests(upstream))
    begun = assisted.ask(member_client, QUESTION, assistant_id=assistant["id"]).json
    sent = sum(len(each.body["input"]) for each in meant.requests(upstream)[before:])
    assert sent == 1 + meant.cut(more), "the other has its vectors already"
    assert upstream.journal.last.body["messages"][-1]["content"].count(ANSWER) == 2
    before = len(meant.requests(upstream))
    member_client.post(f"/api/messages/{begun['user_message_id']}/answers", json={}, headers=JSON)
    assert upstream.journal.last.body["messages"][-1]["content"].count(ANSWER) == 2
    assert [len(each.body["input"]) for each in meant.requests(upstream)[before:]] == [1]


def test_a_shared_assistant_has_them_for_everybody_who_asks_it(
    admin_client: PageClient,
    member: User,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    make_user: MakeUser,
    sign_in: SignIn,
) -> None:
    meant.switch_on(upstream)
    book = meant.book(admin_client, 200)
    made: Any = admin_client.post(SHARED, json=assisted.TUTOR | {"files": [book["id"]]}).json
    count = meant.cut(book)
    assisted.ask(member_client, QUESTION, assistant_id=made["id"])
    assert ANSWER in upstream.journal.last.body["messages"][-1]["content"]
    assert {each.user_id for each in meant.entries()} == {member.id}, "who asks first pays for the passages"
    assert sum(each.passages for each in meant.kept()) == count
    before = len(meant.requests(upstream))
    assisted.ask(sign_in(make_user("other")), QUESTION, assistant_id=made["id"])
    assert [len(each.body["input"]) for each in meant.requests(upstream)[before:]] == [1]
    with reading() as session:
        known = session.scalars(select(SharedAssistantFile.id)).one()
    assert {(each.file_id, each.shared_file_id) for each in meant.kept()} == {(None, known)}
    admin_client.patch(f"{SHARED}/{made['id']}", json={"files": []})
    assert meant.kept() == []
