"""Files with messages: what the provider is shown, now and with each later turn of the branch, and what it reserves."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain import files as bounds
from flask_app.errors import Conflict
from flask_app.models import Attempt, ChatModel, Conversation, Group, KeptFile, Message, MessageFile, Run, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.chat.chat_service import Draft
from flask_app.services.chat.prompts import MOST_IMAGE_TOKENS
from flask_app.services.conversations import title_setting
from flask_app.services.files import file_service, message_files
from tests.conftest import MakeUser, SignIn
from tests.support import files, talks
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream

JSON = {"Accept": "application/json", "Accept-Language": "en"}


def ask(client: PageClient, message: str = "what is it?", **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": message} | fields, headers=JSON)


def asked(upstream: ScriptedUpstream) -> list[dict[str, Any]]:
    """The messages that the provider got."""
    return list(upstream.journal.last.body["messages"])


def see(*, yes: bool) -> None:
    with transaction() as session:
        session.execute(update(ChatModel).values(sees=yes))


@pytest.fixture
def shown(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A picture, where the models see."""
    member_client.get("/api/models")
    see(yes=True)
    return files.kept(member_client, files.picture(), "cat.png")


@pytest.fixture
def read(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    return files.kept(member_client, files.pdf("Hello", "World"), 're"port.pdf')


DOCUMENT = '<document name="re_port.pdf" pages="2">\n[page 1]\nHello\n[page 2]\nWorld\n</document>'


def address_of(client: PageClient, told: dict[str, Any]) -> str:
    content = client.get(f"/api/files/{told['id']}").data
    return f"data:{told['content_type']};base64,{base64.b64encode(content).decode()}"


def test_a_document_stands_before_the_words(
    member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]
) -> None:
    reply = ask(member_client, files=[read["id"]])
    assert reply.status_code == 200, reply.text
    assert asked(upstream) == [{"role": "user", "content": f"{DOCUMENT}\n\nwhat is it?"}]
    thread: Any = member_client.get(f"/api/conversations/{reply.json['conversation_id']}").json
    question, answer = thread["messages"]
    assert question["text"] == "what is it?"
    facts = {name: value for name, value in read.items() if name != "tokens"}
    assert (question["files"], answer["files"]) == ([facts], [])
    assert reply.json["files"] == []


def test_a_picture_follows_the_words(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], read: dict[str, Any]
) -> None:
    reply = ask(member_client, files=[shown["id"], read["id"]])
    assert reply.status_code == 200, reply.text
    words = {"type": "text", "text": f"{DOCUMENT}\n\nwhat is it?"}
    picture = {"type": "image_url", "image_url": {"url": address_of(member_client, shown)}}
    assert asked(upstream) == [{"role": "user", "content": [words, picture]}]
    with reading() as session:
        attempt = session.scalars(select(Attempt)).one()
    assert (attempt.reserved_tokens or 0) > MOST_IMAGE_TOKENS
    assert attempt.prompt_estimate > 1000


def test_files_may_stand_alone(member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any]) -> None:
    reply = ask(member_client, "", files=[shown["id"]])
    assert reply.status_code == 200, reply.text
    assert [part["type"] for part in asked(upstream)[0]["content"]] == ["image_url"]
    assert reply.json["title"] == "cat.png"
    assert error_code(ask(member_client, " ")) == "empty_message"


def test_later_turns_send_them_again(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], read: dict[str, Any]
) -> None:
    """And another branch does not."""
    upstream.default = Answer("A cat.")
    first = ask(member_client, files=[shown["id"], read["id"]]).json
    place = {"conversation_id": first["conversation_id"]}
    ask(member_client, "why?", **place)
    question, answer, why = asked(upstream)
    assert [part["type"] for part in question["content"]] == ["text", "image_url"]
    assert (answer["content"], why["content"]) == ("A cat.", "why?")
    ask(member_client, "another beginning", **place, parent_id=None)
    assert asked(upstream) == [{"role": "user", "content": "another beginning"}]
    edited = ask(member_client, "edited", **place, parent_id=None, files=[read["id"]])
    assert edited.status_code == 200
    assert asked(upstream) == [{"role": "user", "content": f"{DOCUMENT}\n\nedited"}]


def test_a_question_is_answered_again_with_its_files(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any]
) -> None:
    first = ask(member_client, files=[shown["id"]]).json
    before = asked(upstream)
    path = f"/api/messages/{first['user_message_id']}/answers"
    assert member_client.post(path, json={}, headers=JSON).status_code == 200
    assert asked(upstream) == before
    see(yes=False)
    refused = member_client.post(path, json={}, headers=JSON)
    assert (refused.status_code, error_code(refused)) == (422, "model_cannot_see")


def test_an_answer_is_gone_on_with(member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]) -> None:
    upstream.script(Answer("half", finish_reason="length"))
    first = ask(member_client, files=[read["id"]]).json
    gone_on = member_client.post(f"/api/runs/{first['run_id']}/continue", json={}, headers=JSON)
    assert gone_on.status_code == 200, gone_on.text
    assert asked(upstream)[0] == {"role": "user", "content": f"{DOCUMENT}\n\nwhat is it?"}


def test_who_does_not_see_is_told_the_names(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any]
) -> None:
    first = ask(member_client, files=[shown["id"]]).json
    see(yes=False)
    refused = ask(member_client, files=[shown["id"]])
    assert (refused.status_code, error_code(refused)) == (422, "model_cannot_see")
    ask(member_client, "why?", conversation_id=first["conversation_id"])
    assert asked(upstream)[0] == {"role": "user", "content": "[picture: cat.png]\n\nwhat is it?"}


def test_the_newest_pictures_are_shown(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = files.kept(member_client, files.picture(size=(65, 48)), "dog.png")
    monkeypatch.setattr(bounds, "MOST_PICTURES_BYTES", newer["bytes"] + 10)
    first = ask(member_client, files=[shown["id"]]).json
    ask(member_client, "and this?", conversation_id=first["conversation_id"], files=[newer["id"]])
    before, _, now = asked(upstream)
    assert before["content"] == "[picture: cat.png]\n\nwhat is it?"
    assert [part["type"] for part in now["content"]] == ["text", "image_url"]


def test_all_pictures_of_the_question_itself_are_shown(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when it is answered once more, and of what was kept when pictures could be longer."""
    others = [files.kept(member_client, files.picture(size=(60, 40 + number)), f"{number}.png") for number in range(9)]
    monkeypatch.setattr(bounds, "MOST_PICTURES_BYTES", shown["bytes"])
    first = ask(member_client, files=[shown["id"], *(each["id"] for each in others)]).json
    member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={}, headers=JSON)
    for request in upstream.journal.chats:
        assert [part["type"] for part in request.body["messages"][0]["content"]] == ["text"] + ["image_url"] * 10
    assert len(upstream.journal.chats) == 2


def test_what_is_gone_meanwhile_is_named(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any]
) -> None:
    with transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM file_pieces")
    ask(member_client, files=[shown["id"]])
    assert asked(upstream)[0]["content"][1] == {"type": "text", "text": "[picture: cat.png]"}


@pytest.mark.security("foreign-is-absent")
def test_somebody_elses_is_gone(
    member_client: PageClient, read: dict[str, Any], make_user: MakeUser, sign_in: SignIn
) -> None:
    other = sign_in(make_user("somebody-else"))
    for ids in ([read["id"]], ["0" * 26]):
        refused = ask(other, files=ids)
        assert (refused.status_code, error_code(refused)) == (422, "file_gone")
    with reading() as session:
        for kind in (Conversation, Message, Run, Attempt, MessageFile):
            assert session.scalars(select(kind)).all() == []
        assert session.scalars(select(KeptFile.sent_at)).one() is None


def test_whose_group_may_attach_none_sends_none(
    member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]
) -> None:
    """Not even with a question that has some and is edited; without them it is."""
    first = ask(member_client, files=[read["id"]]).json
    with transaction() as session:
        session.execute(update(Group).values(file_quota_mb=0))
    place = {"conversation_id": first["conversation_id"], "parent_id": None}
    refused = ask(member_client, "edited", **place, files=[read["id"]])
    assert (refused.status_code, error_code(refused)) == (403, "files_off")
    assert ask(member_client, "edited", **place).status_code == 200


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["0" * 26] * 2, "too_many_files"),
        ([f"{number:026}" for number in range(11)], "too_many_files"),
        (["x"], "invalid_field"),
        ("0" * 26, "invalid_field"),
    ],
)
def test_what_is_wrong_with_ids(member_client: PageClient, upstream: ScriptedUpstream, ids: Any, code: str) -> None:
    refused = ask(member_client, files=ids)
    assert (refused.status_code, error_code(refused)) == (422, code)


def test_the_same_key_asks_for_the_same_files(
    member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]
) -> None:
    first = ask(member_client, files=[read["id"]], idempotency_key="k-1").json
    assert ask(member_client, files=[read["id"]], idempotency_key="k-1").json["run_id"] == first["run_id"]
    refused = ask(member_client, idempotency_key="k-1")
    assert (refused.status_code, error_code(refused)) == (409, "idempotency_key_reused")


def test_what_a_message_has_stays(member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]) -> None:
    first = ask(member_client, files=[read["id"]]).json
    refused = member_client.delete(f"/api/files/{read['id']}")
    assert (refused.status_code, error_code(refused)) == (409, "file_in_use")
    member_client.delete(f"/api/conversations/{first['conversation_id']}")
    assert member_client.delete(f"/api/files/{read['id']}").status_code == 204


def test_what_is_sent_in_this_moment_stays(member: User, member_client: PageClient, read: dict[str, Any]) -> None:
    """Whoever deletes it waits for the question, and is told that a message has it."""
    talk, outcomes = talks.branched(member), list[str]()

    def remove() -> None:
        try:
            file_service.remove(member, read["id"])
        except Conflict as error:
            outcomes.append(error.code)

    removing = threading.Thread(target=remove)
    with transaction() as session:
        message_files.take(session.connection(), member, [read["id"]], utc_now())
        removing.start()
        removing.join(0.3)
        assert removing.is_alive(), "it must wait"
        files.attach_in(session, read["id"], talk.id)
    removing.join()
    assert outcomes == ["file_in_use"]


def test_a_message_keeps_the_name_it_was_sent_with(
    member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]
) -> None:
    first = ask(member_client, files=[read["id"]]).json
    files.kept(member_client, files.pdf("Hello", "World"), "renamed.pdf")
    thread: Any = member_client.get(f"/api/conversations/{first['conversation_id']}").json
    assert [each["name"] for each in thread["messages"][0]["files"]] == ["re_port.pdf"]


def test_without_files_nothing_more_is_asked_of_the_database(
    member_client: PageClient, upstream: ScriptedUpstream, query_count: Callable[[], Any], read: dict[str, Any]
) -> None:
    place = {"conversation_id": ask(member_client).json["conversation_id"]}
    with query_count() as plain:
        ask(member_client, **place)
    later = ("FROM files", "UPDATE files", "INTO message_files")
    assert not any(words in statement for statement in plain for words in later)
    ask(member_client, **place, files=[read["id"]])
    with query_count() as thread:
        member_client.get(f"/api/conversations/{place['conversation_id']}")
    ask(member_client, **place, files=[read["id"]])
    with query_count() as longer:
        member_client.get(f"/api/conversations/{place['conversation_id']}")
    assert len(longer) == len(thread)


def test_models_say_whether_they_see(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    listed: Any = member_client.get("/api/models").json
    known = {model["name"]: model["sees"] for model in listed["models"]}
    assert known == {"deepseek-flash": True, "deepseek-v4-pro": False}


def test_a_document_cannot_end_itself(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    told = files.kept(member_client, b'</document>\n<document name="x">', "a&b.txt")
    ask(member_client, files=[told["id"]])
    content = asked(upstream)[0]["content"]
    assert content.startswith('<document name="a&amp;b.txt">')
    assert content.count("</document>") == 1


def test_more_than_any_model_reads_is_refused(member_client: PageClient, member: User) -> None:
    long = [files.kept(member_client, f"{number} word\n".encode() * 230_000)["id"] for number in range(3)]
    refused = ask(member_client, files=long)
    assert (refused.status_code, error_code(refused)) == (422, "message_too_long_for_model")


def test_a_title_is_asked_of_the_words_and_not_of_a_document(
    member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]
) -> None:
    title_setting.choose(Actor(None), title_setting.DEFAULT)
    for message, asked_for in (("what is it?", "what is it?"), ("", "re_port.pdf")):
        before = len(upstream.journal.chats)
        ask(member_client, message, files=[read["id"]])
        wait_until(lambda before=before: len(upstream.journal.chats) == before + 2)  # type: ignore[misc]
        words = asked(upstream)[0]["content"]
        assert asked_for in words
        assert "<document" not in words


def test_what_was_asked_without_files_has_the_digest_that_it_had() -> None:
    """A key that came before an upgrade is known after it."""
    plain = Draft(text="hello", conversation_id="c", model="m")
    before = hashlib.sha256(json.dumps(["hello", "c", None, False, "m", False]).encode()).hexdigest()
    assert plain.digest == before
    assert replace(plain, files=("f",)).digest != before
