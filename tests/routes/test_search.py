"""Searching one's conversations: what is one's own, page by page, and what is refused."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_app.domain import search_terms
from flask_app.domain.search_terms import Query, Snippet
from flask_app.models import User
from flask_app.services.search import search_index
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.searching import conversation_of, say

QueryCount = Callable[[], AbstractContextManager[list[str]]]
SEARCH = "/api/conversations/search"


def search(client: FlaskClient, words: str, **more: str) -> dict[str, Any]:
    reply = client.get(SEARCH, query_string={"q": words, **more})
    assert reply.status_code == 200, reply.data
    found: dict[str, Any] = reply.json or {}
    return found


def test_a_conversation_is_found_by_its_title_first_and_by_its_messages(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("复利就是 <b>利滚利</b>。"))
    start = events_of(member_client.post("/api/chat", json={"message": "什么是复利？"}).data)[0].data
    search_index.catch_up()
    title, *messages = search(member_client, "复利")["hits"]
    shared = {"conversation_id": start["conversation_id"], "title": "什么是复利？", "folder": None, "archived": False}
    assert title == shared | {
        "message_id": None,
        "role": None,
        "snippet": "什么是复利？",
        "marks": [[3, 5]],
        "at": title["at"],
    }
    answer = next(hit for hit in messages if hit["role"] == "assistant")
    assert answer == shared | {
        "message_id": start["message_id"],
        "role": "assistant",
        "snippet": "复利就是 <b>利滚利</b>。",
        "marks": [[0, 2]],
        "at": answer["at"],
    }
    assert {hit["message_id"] for hit in messages} == {start["message_id"], start["user_message_id"]}


@pytest.mark.security("own-files-and-searches")
def test_nobody_finds_what_is_somebody_elses(
    admin_client: FlaskClient, member_client: FlaskClient, member: User
) -> None:
    say(member, "a secret harbour")
    search_index.catch_up()
    assert len(search(member_client, "secret")["hits"]) == 1
    assert search(admin_client, "secret") == {"hits": [], "next": None}


def test_whoever_is_not_signed_in_is_refused(client: FlaskClient) -> None:
    assert client.get(SEARCH, query_string={"q": "harbour"}).status_code == 401


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "search_empty"),
        ({"q": ""}, "search_empty"),
        ({"q": " \u3000"}, "search_empty"),
        ({"q": '"*+-!?，。'}, "search_empty"),
        ({"q": "x" * 201}, "search_too_long"),
        ({"q": "harbour", "before": "2-1"}, "bad_cursor"),
        ({"q": "harbour", "before": "1-"}, "bad_cursor"),
        ({"q": "harbour", "before": "1--1"}, "bad_cursor"),
        ({"q": "harbour", "before": "1-99999999999"}, "bad_cursor"),
        ({"q": "harbour", "before": "1-١"}, "bad_cursor"),
        ({"q": "harbour", "before": "x"}, "bad_cursor"),
        ({"q": "harbour", "before": "1\x00-1"}, "bad_word"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(member_client: FlaskClient, query: dict[str, str], code: str) -> None:
    reply = member_client.get(SEARCH, query_string=query)
    assert reply.status_code == 400
    assert reply.json
    assert reply.json["error"]["code"] == code
    assert reply.json["error"]["message"]


@pytest.mark.each_case
@pytest.mark.parametrize(
    "words", ["\x00", "a\x00b", "\ud800", "%", "_", "'; DROP TABLE messages; --", "a\u200db", "🎉"]
)
def test_odd_letters_are_harmless(member_client: FlaskClient, words: str) -> None:
    quoted = words.encode("utf-8", "surrogatepass")
    assert member_client.get(SEARCH, query_string={"q": quoted}).status_code in {200, 400}


def test_wide_blanks_part_words(member_client: FlaskClient, member: User) -> None:
    say(member, "灯塔 和 港口")
    search_index.catch_up()
    assert len(search(member_client, "灯塔\u3000港口")["hits"]) == 1


def test_pages_follow_each_other_without_gap_or_repeat(member_client: FlaskClient, member: User) -> None:
    titles = [say(member, f"harbour {number}", title=f"Harbour {number}") for number in range(25)]
    say(member, "the old and the harbour", "old harbour")
    search_index.catch_up()
    seen: list[tuple[str, str | None]] = []
    before: dict[str, str] = {}
    while True:
        page = search(member_client, "harbour", **before)
        assert len(page["hits"]) <= 20
        seen += [(hit["conversation_id"], hit["message_id"]) for hit in page["hits"]]
        if not page["next"]:
            break
        before = {"before": page["next"]}
    assert len(seen) == len(set(seen)) == 25 + 25 + 2
    assert [message for _, message in seen[:25]] == [None] * 25
    assert {place[0] for place in seen[:25]} == {conversation_of(message) for (message,) in titles}


def test_the_number_of_queries_does_not_grow(member_client: FlaskClient, member: User, query_count: QueryCount) -> None:
    say(member, "harbour", title="harbour")
    say(member, "harbour", title="harbour")
    search_index.catch_up()
    with query_count() as few:
        search(member_client, "harbour")
    for _ in range(9):
        say(member, "harbour", title="harbour")
    search_index.catch_up()
    with query_count() as many:
        assert len(search(member_client, "harbour")["hits"]) == 20
    assert few
    assert len(many) <= len(few)


def test_texts_that_have_the_words_apart_are_not_looked_through_without_end(
    member_client: FlaskClient, member: User
) -> None:
    say(member, "你好吗 好久", *["你好久了 好久"] * 3, *["你好吗 好久不见"] * 150)
    search_index.catch_up()
    first = search(member_client, "你好久")
    assert first["hits"] == []
    second = search(member_client, "你好久", before=first["next"])
    assert len(second["hits"]) == 3


def test_a_page_looks_at_so_many_characters_and_the_next_goes_on(
    member_client: FlaskClient, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["a-" * 20_000] * 12
    (found,) = say(member, "b-" + "a-" * 98 + "b")
    say(member, *[text + "b" for text in texts], conversation=conversation_of(found))
    search_index.catch_up()
    looked_at: list[int] = []
    look = search_terms.snippet_of

    def counted(text: str, query: Query) -> Snippet | None:
        looked_at.append(len(text))
        return look(text, query)

    monkeypatch.setattr(search_terms, "snippet_of", counted)
    first = search(member_client, "b-" + "a-" * 98 + "b")
    assert first["hits"] == []
    assert 0 < sum(looked_at) <= 200_000 + 40_001
    messages, before = [], first["next"]
    while before:
        looked_at.clear()
        page = search(member_client, "b-" + "a-" * 98 + "b", before=before)
        assert sum(looked_at) <= 200_000 + 40_001
        messages += [hit["message_id"] for hit in page["hits"]]
        before = page["next"]
    assert messages == [found]
