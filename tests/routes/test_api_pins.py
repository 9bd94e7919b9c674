"""Conversations are pinned on top of the list, so many at most."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask.testing import FlaskClient

from flask_app.database import utc_now
from flask_app.models import User
from flask_app.services.conversations import pin_service
from flask_app.services.conversations.pin_service import MOST_PINNED
from tests.conftest import MakeUser, SignIn
from tests.support.listing import all_ids, fill, ids, page
from tests.support.together import at_once

ABSENT = "0" * 26
QueryCount = Callable[[], AbstractContextManager[list[str]]]


def pin_of(conversation_id: str) -> str:
    return f"/api/conversations/{conversation_id}/pin"


def test_the_newest_pin_is_first_and_the_list_keeps_its_order(member_client: FlaskClient, member: User) -> None:
    listed = fill(member, 5)
    for each in (listed[3], listed[1], listed[3]):
        reply = member_client.put(pin_of(each))
        assert reply.status_code == 200
        assert reply.json
        assert reply.json["pinned_at"]
        assert reply.json["archived"] is False
    found = page(member_client)
    assert [each["id"] for each in found["pinned"]] == [listed[1], listed[3]], "one that is pinned stays where it is"
    assert [each["id"] for each in found["conversations"]] == listed
    assert [bool(each["pinned_at"]) for each in found["conversations"]] == [False, True, False, True, False]
    assert member_client.delete(pin_of(listed[1])).json["pinned_at"] is None  # type: ignore[index]
    assert member_client.delete(pin_of(listed[1])).status_code == 200
    assert ids(member_client, of="pinned") == [listed[3]]


def test_only_the_first_page_has_those_that_are_pinned(member_client: FlaskClient, member: User) -> None:
    listed = fill(member, 50)
    member_client.put(pin_of(listed[45]))
    first = page(member_client)
    assert [each["id"] for each in first["pinned"]] == [listed[45]]
    assert page(member_client, before=first["next"])["pinned"] == []
    assert all_ids(member_client) == listed


def test_pinning_does_not_make_a_conversation_newer(member_client: FlaskClient, member: User) -> None:
    (own,) = fill(member, 1)
    before = page(member_client)["conversations"][0]["updated_at"]
    assert member_client.put(pin_of(own)).json["updated_at"] == before  # type: ignore[index]


def test_the_page_begins_with_those_that_are_pinned(member_client: FlaskClient, member: User) -> None:
    fill(member, 60)
    (old,) = fill(member, 1, updated_at=utc_now().replace(year=2020), title="on top")
    assert "on top" not in member_client.get("/").get_data(as_text=True)
    member_client.put(pin_of(old))
    assert "on top" in member_client.get("/").get_data(as_text=True)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_more_than_fits_is_refused_in_words(member_client: FlaskClient, member: User, language: str) -> None:
    listed = fill(member, MOST_PINNED + 1)
    for each in listed[:MOST_PINNED]:
        assert member_client.put(pin_of(each)).status_code == 200
    refused = member_client.put(pin_of(listed[-1]), headers={"Accept-Language": language})
    assert refused.status_code == 409
    assert refused.json
    error = refused.json["error"]
    assert error["code"] == "too_many_pins"
    assert str(MOST_PINNED) in error["message"]
    assert ("置顶" in error["message"]) == (language == "zh")
    assert ids(member_client, of="pinned") == listed[:MOST_PINNED][::-1]
    member_client.delete(pin_of(listed[0]))
    assert member_client.put(pin_of(listed[-1])).status_code == 200


def test_pins_of_one_moment_are_counted_one_after_the_other(member_client: FlaskClient, member: User) -> None:
    listed = fill(member, MOST_PINNED + 5)
    for each in listed[: MOST_PINNED - 1]:
        pin_service.pin(member, each)
    left = listed[MOST_PINNED - 1 :]
    outcomes = at_once(len(left), lambda number: pin_service.pin(member, left[number]))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [*["Conflict"] * 5, "Conversation"]
    assert len(ids(member_client, of="pinned")) == MOST_PINNED


def test_each_person_has_their_own_pins(member_client: FlaskClient, make_user: MakeUser, sign_in: SignIn) -> None:
    other = make_user("other")
    other_client = sign_in(other)
    (theirs,) = fill(other, 1)
    assert other_client.put(pin_of(theirs)).status_code == 200
    assert ids(member_client, of="pinned") == []


@pytest.mark.parametrize("method", ["put", "delete"])
def test_somebody_elses_looks_absent_and_stays(
    member_client: FlaskClient, client: FlaskClient, member: User, make_user: MakeUser, sign_in: SignIn, method: str
) -> None:
    own, pinned = fill(member, 2)
    member_client.put(pin_of(pinned))
    other = sign_in(make_user("other"))
    for conversation_id in (own, pinned):
        foreign, absent, odd = (
            getattr(other, method)(pin_of(each)) for each in (conversation_id, ABSENT, "%F0%9F%8E%89")
        )
        assert foreign.status_code == absent.status_code == odd.status_code == 404
        assert foreign.json["error"]["code"] == absent.json["error"]["code"] == "not_found"
        assert getattr(client, method)(pin_of(conversation_id)).status_code == 401
    assert ids(member_client, of="pinned") == [pinned]


def test_the_number_of_queries_does_not_grow(member_client: FlaskClient, member: User, query_count: QueryCount) -> None:
    fill(member, 1, pinned_at=utc_now())
    with query_count() as few:
        page(member_client)
    fill(member, 40, pinned_at=utc_now())
    with query_count() as many:
        assert len(page(member_client)["pinned"]) == 41
    assert few
    assert len(many) == len(few)
