"""A question that is looked up on the web: what its reader hears, what is kept, and what the model is told."""

import hashlib
import json
from typing import Any

import pytest

from flask_app.models import User
from flask_app.services.chat.chat_service import Draft
from flask_app.services.chat.regenerate_service import Wish
from tests.support import web_searching
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, Pages, ScriptedUpstream
from tests.support.web_searching import QUESTION

TOLD = [
    {
        "number": 1,
        "title": "The lighthouse at Kap Arkona",
        "url": "https://example.org/arkona",
        "site": "Example",
        "published": "2026-10-03",
        "text": "It was built in 1827 and is 19 metres high.",
        "fetched": "",
        "fetch_error": None,
    },
    {
        "number": 2,
        "title": "A list of lighthouses",
        "url": "https://example.net/list",
        "site": "example.net",
        "published": "",
        "text": "Most of them are on a coast.",
        "fetched": "",
        "fetch_error": None,
    },
]
FOUND = {"status": "found", "query": QUESTION, "engine": "deepseek", "error_code": None, "sources": TOLD}


@pytest.fixture
def provider_id(upstream: ScriptedUpstream) -> str:
    """Questions may be looked up by this provider's key."""
    return web_searching.switch_on()


def thread(client: PageClient, conversation_id: str) -> Any:
    return client.get(f"/api/conversations/{conversation_id}").json


def prompt(upstream: ScriptedUpstream, number: int = -1) -> list[str]:
    return [message["content"] for message in upstream.journal.chats[number].body["messages"]]


def test_the_reader_hears_of_the_search_before_the_answer(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("19 metres [1]"))
    events = web_searching.ask(member_client)
    assert [event.name for event in events[:3]] == ["start", "searching", "sources"]
    assert events[1].data == {"query": QUESTION}
    assert events[2].data == FOUND
    assert (events[-1].name, events[-1].data["status"]) == ("done", "complete")


def test_the_question_keeps_what_was_found(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    answer = web_searching.ask_whole(member_client)
    question, answered = thread(member_client, answer["conversation_id"])["messages"]
    assert question["search"] == FOUND
    assert (answered["search"], question["usage"]) == (None, None)
    assert answer["search"] is None


def test_the_engine_is_asked_for_the_question_and_told_it(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    words = f"{QUESTION}\n\n{'Tell me of each storey. ' * 20}"
    web_searching.ask(member_client, words)
    (asked,) = upstream.journal.searches
    assert asked.target == "/v1/tools/search"
    assert (len(asked.body["query"]) <= 128, asked.body["query"][: len(QUESTION)]) == (True, QUESTION)
    assert (asked.body["ori_question"], asked.key) == (words, "test-key")


def test_the_model_is_told_before_the_words_and_the_same_bytes_each_time(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = web_searching.ask_whole(member_client)
    (told,) = prompt(upstream)
    assert told.endswith(f"[1] or [1][2].\n\n{QUESTION}")
    assert '<source number="1" title="The lighthouse at Kap Arkona" url="https://example.org/arkona"' in told
    member_client.post("/api/chat", json={"message": "and wide?", "conversation_id": first["conversation_id"]})
    assert prompt(upstream)[0] == told
    assert len(upstream.journal.searches) == 1


def test_the_search_is_an_attempt_and_an_entry_of_its_own(
    provider_id: str, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    answer = web_searching.ask_whole(member_client)
    assert web_searching.attempts() == [("search", "settled", None), ("chat", "settled", None)]
    (entry,) = web_searching.entries()
    assert (entry.model, entry.source, entry.outcome) == ("deepseek-search", "reported", "complete")
    assert (entry.prompt_tokens, entry.completion_tokens, entry.user_id) == (0, 0, member.id)
    assert (entry.provider_id, entry.message_id) == (provider_id, answer["user_message_id"])
    assert upstream.journal.searches[0].headers["x-request-id"] == entry.attempt_id


def test_a_searxng_is_asked_without_a_key(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    engine_id = web_searching.switch_to_searxng(upstream.base_url)
    events = web_searching.ask(member_client, "lamp & lens?")
    assert events[2].data["engine"] == "searxng"
    assert [source["url"] for source in events[2].data["sources"]] == [source["url"] for source in TOLD]
    (asked,) = [request for request in upstream.journal if request.path == "/search"]
    assert (asked.target, asked.key) == ("/search?q=lamp+%26+lens%3F&format=json", "")
    (entry,) = web_searching.entries()
    assert (entry.model, entry.provider_id, entry.key_id, entry.cost_micros) == ("searxng", engine_id, None, None)


def test_nothing_found_is_told_to_the_model_and_to_the_page(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.pages = Pages([])
    answer = web_searching.ask_whole(member_client)
    (question, _) = thread(member_client, answer["conversation_id"])["messages"]
    assert (question["search"]["status"], question["search"]["sources"]) == ("empty", [])
    assert prompt(upstream)[0] == f"[The web was searched for what follows, and nothing was found.]\n\n{QUESTION}"
    assert web_searching.entries()[0].source == "reported"


def test_a_question_of_files_alone_goes_without(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    sent = member_client.post("/api/files?name=a.txt", data=b"some words", content_type="text/plain")
    answer = web_searching.ask_whole(member_client, "", files=[sent.json["id"]])  # type: ignore[index]
    assert (answer["status"], len(upstream.journal.searches), web_searching.searches()) == ("complete", 0, [])


def test_without_an_engine_it_is_refused(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    reply = member_client.post("/api/chat", json={"message": QUESTION, "search": True})
    assert (reply.status_code, error_code(reply)) == (403, "search_off")
    assert web_searching.attempts() == []


def test_a_temporary_chat_takes_no_search(provider_id: str, member_client: PageClient) -> None:
    body = {"messages": [{"role": "user", "content": QUESTION}], "idempotency_key": "k", "search": True}
    reply = member_client.post("/api/temporary/answers", json=body)
    assert reply.status_code == 422
    assert web_searching.attempts() == []


@pytest.mark.parametrize("search", [1, "yes", None])
def test_a_body_that_says_something_else_is_refused(
    provider_id: str, member_client: PageClient, search: object
) -> None:
    assert member_client.post("/api/chat", json={"message": QUESTION, "search": search}).status_code == 422


def test_who_is_not_signed_in_searches_for_nothing(provider_id: str, client: PageClient) -> None:
    assert client.post("/api/chat", json={"message": QUESTION, "search": True}).status_code == 401
    assert web_searching.attempts() == []


def test_the_page_says_whether_one_may(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    assert '"search":false' in member_client.get("/").text
    web_searching.switch_on()
    assert '"search":true' in member_client.get("/").text
    assert '"search":false' in member_client.get("/?temporary").text


def test_the_same_key_gives_the_same_answer_and_another_wish_is_refused(
    provider_id: str, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = web_searching.ask_whole(member_client, idempotency_key="k")
    assert web_searching.ask_whole(member_client, idempotency_key="k")["id"] == first["id"]
    other = member_client.post("/api/chat", json={"message": QUESTION, "idempotency_key": "k"})
    assert (other.status_code, error_code(other)) == (409, "idempotency_key_reused")
    assert len(upstream.journal.searches) == 1


def test_what_was_asked_for_before_there_were_searches_has_the_digest_that_it_had() -> None:
    draft, wish = ["a", None, None, False, None, False], ["answer", "q", None, False]
    assert Draft(text="a").digest == hashlib.sha256(json.dumps(draft).encode()).hexdigest()
    assert Wish(question_id="q").digest == hashlib.sha256(json.dumps(wish).encode()).hexdigest()
    assert Draft(text="a", search=True).digest != Draft(text="a").digest
    assert Wish(question_id="q", search=True).digest != Wish(question_id="q").digest
