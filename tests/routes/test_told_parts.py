"""Documents of which chosen pages or the passages that fit the question are told, in each turn the same."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import reading, transaction
from flask_app.models import Attempt, ChatModel, KeptFile, MessageFile
from flask_app.services.files import message_files
from tests.support import files
from tests.support.attached import JSON, ask, asked
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream

WHERE = "where is the harbour?"


@pytest.fixture
def guide(member_client: PageClient) -> dict[str, Any]:
    """A PDF of twelve pages; the seventh has the harbour."""
    pages = [f"Page {number} tells of trains" + (" and of a harbour" if number == 7 else "") for number in range(1, 13)]
    return files.kept(member_client, files.pdf(*pages), "guide.pdf")


@pytest.fixture
def book(member_client: PageClient) -> dict[str, Any]:
    """A Chinese text that is too long for the model of the tests to be told whole."""
    chapters = [f"第{number}章。" + "他们沿着河边慢慢走过旧磨坊，看见许多小船。" * 60 for number in range(60)]
    chapters[41] += "离心水泵的保修期在三个冬天之后结束。"
    return files.kept(member_client, "\n\n".join(chapters).encode(), "书.txt")


def _told(read: dict[str, Any], how: str, **more: Any) -> list[dict[str, Any]]:
    return [{"id": read["id"], "told": how} | more]


def test_chosen_pages_are_told_and_shown(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    reply = ask(member_client, files=_told(guide, "pages", pages="9, 2–3"))
    assert reply.status_code == 200, reply.text
    content = asked(upstream)[0]["content"]
    assert content.startswith('<document name="guide.pdf" pages="12" shown="2-3, 9">')
    assert [number for number in range(1, 13) if f'<page number="{number}">' in content] == [2, 3, 9]
    thread: Any = member_client.get(f"/api/conversations/{reply.json['conversation_id']}").json
    assert [(each["told"], each["told_pages"]) for each in thread["messages"][0]["files"]] == [("pages", "2-3, 9")]


def test_what_fits_the_question_is_told_in_each_turn_the_same(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    first = ask(member_client, WHERE, files=_told(guide, "search")).json
    told = asked(upstream)[0]["content"]
    assert '<page number="7">\nPage 7 tells of trains and of a harbour\n</page>' in told
    assert told.count("<page ") == 1
    assert "Only passages of this document are shown" in told
    ask(member_client, "and the trains?", conversation_id=first["conversation_id"])
    assert asked(upstream)[0]["content"] == told
    assert [each["content"] for each in asked(upstream)[1:]] == [first["text"], "and the trains?"]
    member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={}, headers=JSON)
    assert asked(upstream) == [{"role": "user", "content": told}]


def test_an_answer_is_gone_on_with_by_the_same(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    upstream.script(Answer("half", finish_reason="length"))
    first = ask(member_client, WHERE, files=_told(guide, "search")).json
    told = asked(upstream)[0]
    assert member_client.post(f"/api/runs/{first['run_id']}/continue", json={}, headers=JSON).status_code == 200
    assert asked(upstream)[0] == told


def test_a_question_in_other_words_finds_other_passages(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    first = ask(member_client, WHERE, files=_told(guide, "search")).json
    place = {"conversation_id": first["conversation_id"], "parent_id": None}
    ask(member_client, "what is on 11?", **place, files=_told(guide, "search"))
    assert '<page number="11">' in asked(upstream)[0]["content"]
    assert "harbour" not in asked(upstream)[0]["content"]


def test_what_is_reserved_is_for_what_is_told(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    """A book that is too long for the model is asked about in its language."""
    with transaction() as session:
        session.execute(update(ChatModel).values(context_tokens=20_000))
    assert book["tokens"] > 40_000
    assert ask(member_client, "水泵的保修期什么时候结束？", files=_told(book, "search")).status_code == 200
    content = asked(upstream)[0]["content"]
    assert "离心水泵的保修期在三个冬天之后结束" in content
    assert len(content) < 3_000
    with reading() as session:
        reserved = session.scalars(select(Attempt.reserved_tokens)).one()
    assert reserved
    assert reserved - config.current().max_answer_tokens < 10_000


def test_where_nothing_fits_its_beginning_is_told(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    ask(member_client, "summarise it", files=_told(book, "search"))
    content = asked(upstream)[0]["content"]
    assert "第0章" in content
    assert "第59章" not in content


def test_many_pages_that_were_chosen_are_told_in_each_turn(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    """What is written down of them is longer than what was sent."""
    read = files.kept(member_client, files.pdf(*(f"Leaf {number} is here" for number in range(1, 123))), "long.pdf")
    every_other = ",".join(map(str, range(1, 123, 2)))
    first = ask(member_client, files=_told(read, "pages", pages=every_other))
    assert first.status_code == 200, first.text
    told = asked(upstream)[0]["content"]
    assert "Leaf 121 is here" in told
    thread: Any = member_client.get(f"/api/conversations/{first.json['conversation_id']}").json
    shown = thread["messages"][0]["files"][0]["told_pages"]
    again = ask(member_client, files=_told(read, "pages", pages=shown))
    assert again.status_code == 200, again.text
    assert asked(upstream)[0]["content"] == told


def test_a_page_without_words_moves_none_of_the_others(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    read = files.kept(member_client, files.pdf("", "Trains leave here", "", "The harbour is here"), "scan.pdf")
    ask(member_client, files=_told(read, "pages", pages="3-4"))
    content = asked(upstream)[0]["content"]
    assert '<page number="4">\nThe harbour is here\n</page>' in content
    assert "[page 3: no words]" in content
    assert "Trains" not in content
    ask(member_client, WHERE, files=_told(read, "search"))
    assert '<page number="4">\nThe harbour is here\n</page>' in asked(upstream)[0]["content"]


def test_a_long_document_is_read_once_for_all_its_turns(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    first = ask(member_client, WHERE, files=_told(guide, "search")).json
    place = {"conversation_id": first["conversation_id"]}
    for _ in range(3):
        ask(member_client, WHERE, **place, files=_told(guide, "search"))
    with reading() as session:
        ids = session.scalars(select(MessageFile.message_id)).all()
        found = message_files.of_messages(session.connection(), ids)
    assert len(found) == 4
    texts = [each.text for attached in found.values() for each in attached]
    assert all(text is texts[0] for text in texts)
    assert "harbour" in texts[0]


def test_without_words_nothing_is_searched(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    refused = ask(member_client, " ", files=_told(guide, "search"))
    assert (refused.status_code, error_code(refused)) == (422, "empty_message")
    assert ask(member_client, " ", files=_told(guide, "pages", pages="7")).status_code == 200


def test_of_how_much_its_passages_are_is_said(
    member_client: PageClient, upstream: ScriptedUpstream, book: dict[str, Any]
) -> None:
    reply = ask(member_client, WHERE, files=_told(book, "search"))
    thread: Any = member_client.get(f"/api/conversations/{reply.json['conversation_id']}").json
    (file,) = thread["messages"][0]["files"]
    assert (file["tokens"], file["whole_tokens"]) == (8_000, book["tokens"])


@pytest.mark.parametrize("pages", ["", "0", "13", "3-99", "seven"])
def test_pages_that_are_not_there_are_refused(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any], pages: str
) -> None:
    refused = ask(member_client, files=_told(guide, "pages", pages=pages))
    assert (refused.status_code, error_code(refused)) == (422, "file_pages_unknown")
    error: Any = refused.json
    assert error["error"]["params"] == {"name": "guide.pdf", "pages": 12}


def test_a_picture_is_not_searched(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    picture = files.kept(member_client, files.picture(), "a.png")
    refused = ask(member_client, files=_told(picture, "search"))
    assert (refused.status_code, error_code(refused)) == (422, "file_not_searched")


@pytest.mark.parametrize("entry", [{"told": "search"}, {"id": "0" * 26, "told": "half"}, {"id": "0" * 26, "x": 1}, 5])
def test_what_is_wrong_with_an_entry(member_client: PageClient, upstream: ScriptedUpstream, entry: Any) -> None:
    refused = ask(member_client, files=[entry])
    assert (refused.status_code, error_code(refused)) == (422, "invalid_field")


def test_somebody_elses_is_not_searched(
    member_client: PageClient, other_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    for entry in (*_told(guide, "search"), *_told(guide, "pages", pages="99")):
        refused = ask(other_client, WHERE, files=[entry])
        assert (refused.status_code, error_code(refused)) == (422, "file_gone")


def test_the_same_key_asks_for_the_same_parts(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    first = ask(member_client, files=_told(guide, "search"), idempotency_key="k").json
    assert ask(member_client, files=_told(guide, "search"), idempotency_key="k").json["run_id"] == first["run_id"]
    for other in ([guide["id"]], _told(guide, "pages", pages="1")):
        refused = ask(member_client, files=other, idempotency_key="k")
        assert (refused.status_code, error_code(refused)) == (409, "idempotency_key_reused")


def test_a_whole_one_is_the_same_by_either_name(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    first = ask(member_client, files=[guide["id"]], idempotency_key="k").json
    again = ask(member_client, files=_told(guide, "whole", pages="1"), idempotency_key="k").json
    assert again["run_id"] == first["run_id"]
    with reading() as session:
        assert session.execute(select(MessageFile.told_as, MessageFile.told_parts)).all() == [(None, None)]


def test_an_expired_document_is_named_alone(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any]
) -> None:
    first = ask(member_client, WHERE, files=_told(guide, "search")).json
    with transaction() as session:
        session.execute(update(KeptFile).values(digest=KeptFile.id, absent="expired", text=""))
    ask(member_client, "again", conversation_id=first["conversation_id"])
    assert asked(upstream)[0]["content"] == f"[file that is not available: guide.pdf]\n\n{WHERE}"


def test_a_file_of_conversations_says_how_it_was_told(
    member_client: PageClient, upstream: ScriptedUpstream, guide: dict[str, Any], export: Callable[[str], Any]
) -> None:
    told = [_told(guide, "search"), _told(guide, "pages", pages="2"), [guide["id"]]]
    for entry in told:
        first = ask(member_client, WHERE, files=entry).json
        contents = asked(upstream)[0]["content"]
        before = export(first["conversation_id"])
        member_client.delete(f"/api/conversations/{first['conversation_id']}")
        again = {"conversations": before["conversations"], "contents": {guide["id"]: guide["id"]}}
        imported: Any = member_client.post("/api/conversations/import", json=again).json
        outcome = imported["outcomes"][0]
        after = export(outcome["conversation_id"])
        named = [each["conversations"][0]["messages"][0]["files"] for each in (before, after)]
        assert named[0] == named[1]
        ask(member_client, "more", conversation_id=outcome["conversation_id"])
        assert asked(upstream)[0]["content"] == contents


@pytest.fixture
def export(member_client: PageClient) -> Callable[[str], Any]:
    def one(conversation_id: str) -> Any:
        return member_client.get(f"/api/conversations/{conversation_id}/export?format=json").get_json(force=True)

    return one
