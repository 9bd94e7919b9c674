"""Questions that are nothing but files: what is left of them elsewhere, and where nothing is."""

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from flask_app.database import reading, transaction
from flask_app.models import Message, MessageFile
from tests.conftest import MakeUser, SignIn
from tests.support import files
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream

JSON = {"Accept": "application/json", "Accept-Language": "en"}


def ask(client: PageClient, message: str = "", **fields: Any) -> Any:
    reply: Any = client.post("/api/chat", json={"message": message} | fields, headers=JSON)
    assert reply.status_code == 200, reply.text
    return reply.json


def asked(upstream: ScriptedUpstream) -> list[Any]:
    return [message["content"] for message in upstream.journal.last.body["messages"]]


@pytest.mark.parametrize("message", ["", " \n"])
def test_in_an_export_that_comes_in_again_they_are_named(
    member_client: PageClient, upstream: ScriptedUpstream, make_user: MakeUser, sign_in: SignIn, message: str
) -> None:
    ids = [files.kept(member_client, content, name)["id"] for content, name in ((b"one", "1.txt"), (b"two", "2.txt"))]
    ask(member_client, message, files=ids)
    exported: Any = member_client.get("/api/conversations/export?format=json").json
    other = sign_in(make_user("another"))
    body = {name: exported[name] for name in ("folders", "conversations")}
    outcome: Any = other.post("/api/conversations/import", json=body, buffered=True).json
    conversation_id = outcome["outcomes"][0]["conversation_id"]
    thread: Any = other.get(f"/api/conversations/{conversation_id}").json
    question = thread["messages"][0]
    named = [(each["name"], each["absent"]) for each in question["files"]]
    assert (question["text"], named) == (message, [("1.txt", "left_out"), ("2.txt", "left_out")])
    path = f"/api/messages/{question['id']}/answers"
    assert other.post(path, json={}, headers=JSON).status_code == 200
    told = "\n\n".join(f"[file that is not available: {name}]" for name in ("1.txt", "2.txt"))
    assert [content.strip() for content in asked(upstream)] == [told]


@pytest.mark.parametrize("with_an_earlier_one", [True, False])
def test_one_that_says_nothing_is_not_answered(
    member_client: PageClient, upstream: ScriptedUpstream, *, with_an_earlier_one: bool
) -> None:
    """Nor is the question before it, in its place."""
    place = {"conversation_id": ask(member_client, "earlier")["conversation_id"]} if with_an_earlier_one else {}
    upstream.script(Answer("half", finish_reason="length"))
    first = ask(member_client, files=[files.kept(member_client, b"words")["id"]], **place)
    with transaction() as session:
        session.execute(delete(MessageFile))
        session.execute(update(Message).where(Message.id == first["user_message_id"]).values(text=" "))
    before = len(upstream.journal.chats)
    for path in (f"messages/{first['user_message_id']}/answers", f"runs/{first['run_id']}/continue"):
        refused = member_client.post(f"/api/{path}", json={}, headers=JSON)
        assert (refused.status_code, error_code(refused)) == (422, "empty_message")
    assert len(upstream.journal.chats) == before
    with reading() as session:
        assert session.scalars(select(Message.status).where(Message.id == first["id"])).one() == "complete"
