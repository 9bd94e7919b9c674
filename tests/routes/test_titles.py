"""Titles that a model writes: what is asked for, when, what comes of it, and what people see of it in their records."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import title_setting
from flask_app.services.runs import run_service
from flask_app.services.search import search_index
from tests.support import gateway, titled
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import Program
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Stall, Status, Usage
from tests.support.titled import WRITER, Held

JSON = {"Accept": "application/json"}


def talk(client: PageClient, message: str = "What is compound interest?", **fields: Any) -> dict[str, Any]:
    """What the start of an answer said, once its title is there too, if there is one."""
    started = titled.ask(client, message, **fields)[0].data
    titled.wait()
    return started


def test_the_model_that_new_chats_begin_with_writes_them(
    member_client: PageClient, upstream: ScriptedUpstream, member: User
) -> None:
    title_setting.choose(Actor(None), title_setting.DEFAULT)
    upstream.script(Answer("Interest upon interest."), Answer("Compound interest"))
    talk(member_client)
    (listed,) = member_client.get("/api/conversations").json["conversations"]  # type: ignore[index]
    assert listed["title"] == "Compound interest"
    assert len({asked.model for asked in upstream.journal.chats}) == 1
    assert [attempt.channel for attempt in titled.attempts()] == ["title"]


def test_after_the_first_answer_a_model_writes_the_title(
    member_client: PageClient, upstream: ScriptedUpstream, member: User
) -> None:
    titled.choose()
    upstream.script(Answer("Interest upon interest."))
    upstream.script(Answer('**Title:** "Compound interest"\n', usage=Usage(prompt=50, completion=6)), model=WRITER)
    started = talk(member_client)
    assert started["title"] == "What is compound interest?"
    (listed,) = member_client.get("/api/conversations").json["conversations"]  # type: ignore[index]
    assert (listed["title"], listed["running"]) == ("Compound interest", False)
    assert titled.runs() == []

    (asked,) = titled.requests(upstream)
    (turn,) = asked.body["messages"]
    assert "What is compound interest?" in turn["content"]
    assert "Interest upon interest." in turn["content"]
    assert "in the language of the question" in turn["content"]
    assert (asked.body["thinking"], asked.body["max_tokens"]) == ({"type": "disabled"}, 64)
    assert member.id not in str(asked.body)


def test_it_is_booked_on_the_person_in_a_channel_of_its_own(
    member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream, member: User
) -> None:
    titled.choose()
    upstream.script(Answer("T", usage=Usage(prompt=50, completion=6)), model=WRITER)
    started = talk(member_client)
    found: Any = member_client.get("/api/usage/records?channel=title").json
    (record,) = found["records"]
    assert (record["model"], record["prompt_tokens"], record["completion_tokens"]) == (WRITER, 50, 6)
    assert (record["channel"], record["outcome"], record["provenance"]) == ("title", "complete", "reported")
    every: Any = member_client.get("/api/usage/records").json
    assert [each["channel"] for each in every["records"]] == ["title", "chat"]
    assert len({each["request_id"] for each in every["records"]}) == 1, "one request of the person's began both"
    by_channel: Any = admin_client.get("/api/admin/usage?by=channel").json
    assert {row["key"]: row["total_tokens"] for row in by_channel["rows"]}["title"] == 56
    thread: Any = member_client.get(f"/api/conversations/{started['conversation_id']}").json
    with reading() as session:
        (answer, title) = session.scalars(select(TokenUsage).order_by(TokenUsage.id)).all()
    assert title.user_id == member.id
    assert thread["messages"][1]["usage"]["total_tokens"] == answer.prompt_tokens + answer.completion_tokens


def test_without_a_model_nobody_is_asked(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    assert titled.title_of(talk(member_client)["conversation_id"]) == "What is compound interest?"
    assert len(upstream.journal.chats) == 1


def test_the_answer_and_the_next_question_wait_for_no_title(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    titled.choose()
    title = Held("A slow title")
    upstream.script(title, model=WRITER)
    first = titled.ask(member_client)
    wait_until(lambda: titled.requests(upstream))
    assert first[-1].name == "done"
    second = titled.ask(member_client, "next", conversation_id=first[0].data["conversation_id"])
    assert second[-1].data["status"] == "complete"
    assert titled.attempts()[0].state == "dispatched", "both were there before the title"
    title.let_go()
    assert titled.title_of(first[0].data["conversation_id"]) == "A slow title"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("什么是复利？", "请用提问的语言"),
        ("什麼是複利？", "請用提問的語言"),
        ("複利とは何ですか", "質問と同じ言語で"),
        ("Was ist Zinseszins?", "in the language of the question"),
    ],
)
def test_it_is_asked_for_in_the_language_of_the_conversation(
    member_client: PageClient, upstream: ScriptedUpstream, question: str, words: str
) -> None:
    titled.choose()
    talk(member_client, question)
    assert words in titled.requests(upstream)[0].body["messages"][0]["content"]


def test_what_is_asked_is_short_however_much_was_written(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    upstream.script(Answer("狗" * 5000))
    talk(member_client, "猫" * 20_000)
    asked = titled.requests(upstream)[0].body["messages"][0]["content"]
    assert (asked.count("猫"), asked.count("狗")) == (600, 300)


def test_one_that_was_stopped_with_words_has_a_title(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    upstream.script(Stall("so far"))
    upstream.script(Answer("Cut short"), model=WRITER)
    reply = member_client.post("/api/chat", json={"message": "go"}, buffered=False)
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    live.stop.stop("stopped")
    reply.close()
    titled.wait()
    assert titled.title_of(live.begun.conversation_id or "") == "Cut short"


@pytest.mark.parametrize(
    "answer", [Status(400, "no"), Answer("word " * 100, cut_at=9000), Answer("")], ids=["failed", "cut", "empty"]
)
def test_one_that_failed_broke_off_or_said_nothing_has_none(
    member_client: PageClient, upstream: ScriptedUpstream, answer: Any
) -> None:
    titled.choose()
    upstream.script(answer)
    talk(member_client)
    assert titled.requests(upstream) == []


def test_an_answer_after_one_that_failed_is_the_first(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    upstream.script(Status(400, "no"))
    upstream.script(Answer("At last"), model=WRITER)
    failed = talk(member_client)
    member_client.post(f"/api/messages/{failed['user_message_id']}/answers", json={}).get_data()
    titled.wait()
    assert titled.title_of(failed["conversation_id"]) == "At last"


def test_so_is_one_to_the_first_question_in_other_words(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    upstream.script(Status(400, "no"))
    upstream.script(Answer("At last"), model=WRITER)
    failed = talk(member_client)
    talk(member_client, "Said otherwise", conversation_id=failed["conversation_id"], parent_id=None)
    assert titled.title_of(failed["conversation_id"]) == "At last"


@pytest.mark.parametrize("has_title", [True, False])
def test_what_follows_the_first_answer_leaves_the_title(
    member_client: PageClient, upstream: ScriptedUpstream, has_title: bool
) -> None:
    """Another question, another answer to the first, and the first asked anew; nor does choosing later."""
    if has_title:
        titled.choose()
    upstream.script(Answer("The first title"), model=WRITER)
    upstream.script(Answer("Another title"), model=WRITER, always=True)
    first = talk(member_client)
    titled.choose()
    conversation = {"conversation_id": first["conversation_id"]}
    talk(member_client, "more", **conversation)
    member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={}).get_data()
    talk(member_client, "said otherwise", **conversation, parent_id=None)
    assert titled.title_of(first["conversation_id"]) == (
        "The first title" if has_title else "What is compound interest?"
    )
    assert len(titled.requests(upstream)) == has_title


def test_going_on_with_the_first_answer_asks_once(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    upstream.script(Answer("half", finish_reason="length"), Answer(" and half"), model="deepseek-flash")
    upstream.script(Answer("One title"), Answer("Two titles"), model=WRITER)
    first = talk(member_client)
    member_client.post(f"/api/runs/{first['run_id']}/continue", json={}).get_data()
    titled.wait()
    assert len(titled.requests(upstream)) == 1
    assert titled.title_of(first["conversation_id"]) == "One title"


def test_it_is_found_by_its_new_title(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    titled.choose()
    title = Held("Zinseszins")
    upstream.script(title, model=WRITER)
    started = titled.ask(member_client, "What is compound interest?")[0].data
    search_index.catch_up()

    def hits(word: str) -> list[Any]:
        found: Any = member_client.get(f"/api/conversations/search?q={word}").json
        return [hit["message_id"] for hit in found["hits"]]

    assert hits("compound") == [None, started["user_message_id"]]
    title.let_go()
    assert hits("zinseszins") == [None]
    assert hits("compound") == [started["user_message_id"]], "no longer by the old one"


def test_programs_get_no_titles(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    titled.choose()
    assert Program(app, gateway.made(member).secret).complete().status_code == 200
    titled.wait()
    assert len(upstream.journal.chats) == 1
