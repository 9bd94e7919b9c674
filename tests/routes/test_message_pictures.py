"""Pictures with messages: which of them a model is shown, now and later, and what it is told of the others."""

import base64
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.domain import files as bounds
from flask_app.models import Attempt, ChatModel
from flask_app.services.chat.prompts import MOST_IMAGE_TOKENS
from tests.support import files
from tests.support.attached import DOCUMENT, JSON, ask, asked
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream


def see(*, yes: bool) -> None:
    with transaction() as session:
        session.execute(update(ChatModel).values(sees=yes))


@pytest.fixture
def shown(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A picture, where the models see."""
    member_client.get("/api/models")
    see(yes=True)
    return files.kept(member_client, files.picture(), "cat.png")


def address_of(client: PageClient, told: dict[str, Any]) -> str:
    content = client.get(f"/api/files/{told['id']}").data
    return f"data:{told['content_type']};base64,{base64.b64encode(content).decode()}"


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


def test_models_say_whether_they_see(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    listed: Any = member_client.get("/api/models").json
    known = {model["name"]: model["sees"] for model in listed["models"]}
    assert known == {"deepseek-flash": True, "deepseek-v4-pro": False}
