"""Documents that are searched by the question's meaning too: vectors that are made once, booked, and told of."""

from typing import Any

import pytest

from flask_app.domain import passages
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.embedding import embedding_setting
from tests.support import ledger_oracle, meant
from tests.support.attached import JSON, asked
from tests.support.clients import PageClient
from tests.support.meant import ANSWER
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def book(member_client: PageClient) -> dict[str, Any]:
    return meant.book(member_client)


def test_by_words_alone_it_is_not_found(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    assert meant.search(member_client, book).status_code == 200
    assert ANSWER not in asked(upstream)[0]["content"]
    assert (meant.found_by(), meant.requests(upstream), meant.attempts()) == ([None], [], [])


def test_by_meaning_it_is_found_and_said(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    meant.switch_on(upstream)
    reply = meant.search(member_client, book)
    assert reply.status_code == 200, reply.text
    assert ANSWER in asked(upstream)[0]["content"]
    thread: Any = member_client.get(f"/api/conversations/{reply.json['conversation_id']}").json
    assert thread["messages"][0]["files"][0]["found_by"] == "meaning"
    asking = meant.requests(upstream)
    assert len(asking[0].body["input"]) == 1, "the question comes first"
    sent = sum(len(each.body["input"]) for each in asking)
    assert sent == 1 + meant.cut(book)
    entries = meant.entries()
    assert len(entries) == len(asking)
    assert {(each.user_id, each.source, each.outcome, each.token_id) for each in entries} == {
        (member.id, "reported", "complete", None)
    }
    ledger_oracle.check(upstream.journal, ())


def test_each_next_question_asks_for_its_own_vector_alone(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    meant.switch_on(upstream)
    first = meant.search(member_client, book).json
    before = len(meant.requests(upstream))
    meant.search(member_client, book, "and the train?", conversation_id=first["conversation_id"])
    (asking,) = meant.requests(upstream)[before:]
    assert asking.body == {"model": asking.model, "input": ["and the train?"]}


def test_later_turns_and_other_answers_tell_the_same_and_ask_nobody(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    meant.switch_on(upstream)
    first = meant.search(member_client, book).json
    told, before = asked(upstream)[0]["content"], len(meant.requests(upstream))
    embedding_setting.choose(Actor(None), None)
    member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={}, headers=JSON)
    assert asked(upstream) == [{"role": "user", "content": told}]
    assert len(meant.requests(upstream)) == before


def test_of_another_model_all_are_made_anew(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    meant.switch_on(upstream)
    meant.search(member_client, book)
    one = {each.made_by for each in meant.kept()}
    embedding_setting.choose(Actor(None), meant.model_id(0))
    before = len(meant.requests(upstream))
    meant.search(member_client, book)
    assert sum(len(each.body["input"]) for each in meant.requests(upstream)[before:]) == 1 + meant.cut(book)
    other = {each.made_by for each in meant.kept()}
    assert len(one) == len(other) == 1
    assert one != other


def test_each_document_has_its_own(member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]) -> None:
    meant.switch_on(upstream)
    other = meant.book(member_client, 30, "other.txt")
    reply = member_client.post(
        "/api/chat",
        json={"message": meant.QUESTION, "files": [{"id": each["id"], "told": "search"} for each in (book, other)]},
        headers=JSON,
    )
    assert reply.status_code == 200
    assert asked(upstream)[0]["content"].count(ANSWER) == 2
    assert meant.found_by() == ["meaning", "meaning"]


def test_passages_are_those_of_the_ranking() -> None:
    """Places in the order of meaning are places among the pieces of all texts."""
    texts = ["a river. " * 300, "a boat. " * 300]
    pieces = [each for number, text in enumerate(texts) for each in passages.pieces_of(text, number)]
    (found,) = passages.best(texts, "warranty", 500, [len(pieces) - 1])
    assert found == pieces[-1]
