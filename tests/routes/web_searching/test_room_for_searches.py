"""What a question that is looked up sets aside, how many statements it takes, and what it leaves to others."""

from collections.abc import Callable
from typing import Any

import pytest

from flask_app.domain import budget, web_sources
from flask_app.models import User
from tests.support import ledger_oracle, web_searching
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import change_key
from tests.support.limits import limit, own
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.web_searching import JSON, QUESTION

LEAST = budget.prompt_bound([QUESTION]) + budget.MIN_ANSWER
ROOM = web_sources.MOST_TOLD_BYTES


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    return web_searching.switch_on()


def send(client: PageClient, **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": QUESTION} | fields, headers=JSON)


def test_with_room_for_the_answer_but_not_for_what_may_be_found_nothing_is_written(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    limit(LEAST + ROOM - 1)
    refused = send(member_client, search=True)
    assert (refused.status_code, error_code(refused)) == (429, "budget_exhausted")
    assert (web_searching.attempts(), web_searching.searches()) == ([], [])
    listed: Any = member_client.get("/api/conversations").json
    assert (listed["conversations"], len(upstream.journal.searches)) == ([], 0)
    assert send(member_client).status_code == 200


def test_exactly_enough_is_enough(provider_id: str, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    limit(LEAST + ROOM)
    upstream.default = Answer("hi", usage=Usage(prompt=200, completion=20))
    assert send(member_client, search=True).json["status"] == "complete"
    assert upstream.journal.chats[0].body["max_tokens"] == budget.MIN_ANSWER
    (standing,) = own(member_client)
    assert (standing["used"], standing["reserved"]) == (220, 0)
    ledger_oracle.check(upstream.journal, ())


def test_a_key_that_answers_one_at_a_time_does_both(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    web_searching.ask(member_client)
    (search,) = web_searching.entries()
    assert search.key_id
    change_key(search.key_id, max_concurrent=1)
    assert send(member_client, search=True).json["status"] == "complete"
    assert [entry.key_id for entry in web_searching.entries("chat")] == [search.key_id] * 2


def test_a_question_without_asks_nothing_more_of_the_database(
    provider_id: str, member: User, member_client: PageClient, query_count: Callable[[], Any]
) -> None:
    place = {"conversation_id": send(member_client).json["conversation_id"]}
    with query_count() as plain:
        assert send(member_client, **place).status_code == 200
    later = ("FROM web_se", "INTO web_", "UPDATE web_", "FROM web_so", "FROM settings")
    assert not [statement for statement in plain if statement.lstrip().startswith(later)]
    asked_apart = [statement for statement in plain if "web_sources" in statement]
    assert asked_apart == []
    with query_count() as thread:
        member_client.get(f"/api/conversations/{place['conversation_id']}")
    assert [statement for statement in thread if "web_sources" in statement] == []


def test_all_that_was_found_in_a_conversation_is_one_statement(
    provider_id: str, member_client: PageClient, query_count: Callable[[], Any]
) -> None:
    place = {"conversation_id": send(member_client, search=True).json["conversation_id"]}
    for _ in range(2):
        send(member_client, search=True, **place)
    with query_count() as thread:
        member_client.get(f"/api/conversations/{place['conversation_id']}")
    assert len([statement for statement in thread if "web_sources" in statement]) == 1


def test_an_answer_that_is_looked_up_counts_its_own_time(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    answer = send(member_client, search=True).json
    (entry,) = web_searching.entries("chat")
    assert entry.duration_ms is not None
    assert answer["usage"]["source"] == "reported"
    assert answer["usage"]["prompt_tokens"] == entry.prompt_tokens
