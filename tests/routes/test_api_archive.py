"""Archived conversations are a list of their own, until they are taken back or asked something."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.models import Conversation, User
from flask_app.services.conversations.pin_service import MOST_PINNED
from flask_app.services.search import search_index
from tests.conftest import MakeUser, SignIn
from tests.support.events import events_of
from tests.support.listing import ARCHIVED, all_ids, fill, ids, page
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ABSENT = "0" * 26
QueryCount = Callable[[], AbstractContextManager[list[str]]]


def archive_of(conversation_id: str) -> str:
    return f"/api/conversations/{conversation_id}/archive"


def talk(client: FlaskClient, path: str = "/api/chat", **body: Any) -> dict[str, Any]:
    return events_of(client.post(path, json=body).data)[0].data


def is_archived(client: FlaskClient, conversation_id: str) -> bool:
    return bool(client.get(f"/api/conversations/{conversation_id}").json["archived"])  # type: ignore[index]


def test_one_that_is_archived_leaves_the_list_and_comes_back_to_its_place(
    member_client: FlaskClient, member: User
) -> None:
    listed = fill(member, 5)
    for _ in range(2):
        reply = member_client.put(archive_of(listed[2]))
        assert reply.status_code == 200
        assert reply.json
        assert reply.json["archived"] is True
    assert ids(member_client) == listed[:2] + listed[3:]
    assert ids(member_client, ARCHIVED) == [listed[2]]
    assert is_archived(member_client, listed[2])
    assert member_client.get(f"/c/{listed[2]}").status_code == 200
    for _ in range(2):
        assert member_client.delete(archive_of(listed[2])).json["archived"] is False  # type: ignore[index]
    assert ids(member_client) == listed
    assert ids(member_client, ARCHIVED) == []


def test_pages_of_both_lists_follow_each_other_without_gap_or_repeat(member_client: FlaskClient, member: User) -> None:
    listed = fill(member, 95)
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.id.in_(listed[::2])).values(archived=True))
    assert all_ids(member_client) == listed[1::2]
    assert all_ids(member_client, ARCHIVED) == listed[::2]


def test_a_new_message_takes_it_back(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    start = talk(member_client, message="hello")
    own = start["conversation_id"]
    member_client.put(archive_of(own))
    talk(member_client, message="more", conversation_id=own)
    assert not is_archived(member_client, own)
    assert ids(member_client) == [own]


def test_another_answer_takes_it_back(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    start = talk(member_client, message="hello")
    member_client.put(archive_of(start["conversation_id"]))
    talk(member_client, f"/api/messages/{start['user_message_id']}/answers")
    assert not is_archived(member_client, start["conversation_id"])


def test_going_on_with_an_answer_leaves_it_where_it_is(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("cut here", finish_reason="length"))
    start = talk(member_client, message="hello")
    member_client.put(archive_of(start["conversation_id"]))
    talk(member_client, f"/api/runs/{start['run_id']}/continue")
    assert is_archived(member_client, start["conversation_id"])


def test_a_message_that_is_refused_leaves_it_where_it_is(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    own = talk(member_client, message="hello")["conversation_id"]
    member_client.put(archive_of(own))
    refused = member_client.post("/api/chat", json={"message": "x", "conversation_id": own, "parent_id": ABSENT})
    assert refused.status_code == 404
    assert is_archived(member_client, own)


def test_the_pin_waits_in_the_archive(member_client: FlaskClient, member: User) -> None:
    first, second, third = fill(member, 3)
    for each in (first, second, third):
        member_client.put(f"/api/conversations/{each}/pin")
    member_client.put(archive_of(second))
    assert ids(member_client, of="pinned") == [third, first]
    member_client.delete(archive_of(second))
    assert ids(member_client, of="pinned") == [third, second, first]


def test_without_room_it_comes_back_unpinned(
    member_client: FlaskClient, member: User, upstream: ScriptedUpstream
) -> None:
    by_hand = fill(member, 1, pinned_at=utc_now(), archived=True)[0]
    by_message = fill(member, 1, pinned_at=utc_now(), archived=True)[0]
    on_top = set(fill(member, MOST_PINNED, pinned_at=utc_now()))
    assert member_client.delete(archive_of(by_hand)).json["pinned_at"] is None  # type: ignore[index]
    talk(member_client, message="more", conversation_id=by_message)
    assert set(ids(member_client, of="pinned")) == on_top
    assert {by_hand, by_message} <= set(ids(member_client, limit=100))


def test_pinning_one_that_is_archived_takes_it_back(member_client: FlaskClient, member: User) -> None:
    (own,) = fill(member, 1, archived=True)
    reply = member_client.put(f"/api/conversations/{own}/pin")
    assert reply.json
    assert reply.json["archived"] is False
    assert ids(member_client, of="pinned") == [own]


def test_search_finds_it_and_says_where_it_is(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    own = talk(member_client, message="which lighthouse?")["conversation_id"]
    search_index.catch_up()
    for archived in (False, True):
        if archived:
            member_client.put(archive_of(own))
        hits = page(member_client, "/api/conversations/search", q="lighthouse")["hits"]
        assert {(hit["conversation_id"], hit["archived"]) for hit in hits} == {(own, archived)}


def test_it_can_be_renamed_and_deleted(member_client: FlaskClient, member: User) -> None:
    (own,) = fill(member, 1, archived=True)
    assert member_client.patch(f"/api/conversations/{own}", json={"title": "new"}).json["archived"]  # type: ignore[index]
    assert member_client.delete(f"/api/conversations/{own}").status_code == 204
    assert ids(member_client, ARCHIVED) == []


@pytest.mark.parametrize("method", ["put", "delete"])
def test_somebody_elses_looks_absent_and_stays(
    member_client: FlaskClient, client: FlaskClient, member: User, make_user: MakeUser, sign_in: SignIn, method: str
) -> None:
    listed, archived = fill(member, 1), fill(member, 1, archived=True)
    other = sign_in(make_user("other"))
    for own in listed + archived:
        foreign, absent, odd = (getattr(other, method)(archive_of(each)) for each in (own, ABSENT, "%F0%9F%8E%89"))
        assert foreign.status_code == absent.status_code == odd.status_code == 404
        assert foreign.json["error"]["code"] == absent.json["error"]["code"] == "not_found"
        assert getattr(client, method)(archive_of(own)).status_code == 401
    assert (ids(member_client), ids(member_client, ARCHIVED)) == (listed, archived)


def test_the_archive_is_ones_own(
    member_client: FlaskClient, client: FlaskClient, member: User, make_user: MakeUser, sign_in: SignIn
) -> None:
    fill(member, 2, archived=True)
    assert client.get(ARCHIVED).status_code == 401
    assert ids(sign_in(make_user("other")), ARCHIVED) == []
    assert len(ids(member_client, ARCHIVED)) == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=101", "before=zzz", "before=%00"])
def test_bad_paging_is_refused(member_client: FlaskClient, query: str) -> None:
    response = member_client.get(f"{ARCHIVED}?{query}")
    assert response.status_code == 400
    assert response.json
    assert response.json["error"]["message"]


def test_the_number_of_queries_does_not_grow(member_client: FlaskClient, member: User, query_count: QueryCount) -> None:
    fill(member, 1, archived=True)
    with query_count() as few:
        page(member_client, ARCHIVED)
    fill(member, 60, archived=True)
    with query_count() as many:
        assert len(ids(member_client, ARCHIVED, limit=60)) == 60
    assert few
    assert len(many) == len(few)
