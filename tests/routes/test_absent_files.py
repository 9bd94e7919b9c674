"""Files whose content is not here any more: named by their messages, told as missing to models, and never sent."""

from typing import Any

import pytest
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.models import ChatModel
from flask_app.services.files import file_expiry
from tests.support import files
from tests.support.attached import JSON, ask, asked
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream

TOLD = "[file that is not available: re_port.pdf]"


def expire(file_id: str) -> None:
    assert file_expiry.expire(file_id, utc_now())


def question_of(client: PageClient, reply: dict[str, Any]) -> str:
    thread: Any = client.get(f"/api/conversations/{reply['conversation_id']}").json
    return str(thread["messages"][0]["id"])


@pytest.fixture
def first(member_client: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]) -> dict[str, Any]:
    """A question with a file that has expired since, and its answer."""
    upstream.script(Answer("half", finish_reason="length"))
    reply = ask(member_client, files=[read["id"]])
    assert reply.status_code == 200, reply.text
    expire(read["id"])
    return dict(reply.json)


def test_its_message_says_so(member_client: PageClient, first: dict[str, Any], read: dict[str, Any]) -> None:
    thread: Any = member_client.get(f"/api/conversations/{first['conversation_id']}").json
    (named,) = thread["messages"][0]["files"]
    assert (named["name"], named["bytes"], named["absent"]) == ("re_port.pdf", read["bytes"], "expired")
    assert thread["messages"][1]["text"] == "half", "the answer stays"


def test_its_content_is_not_found(member_client: PageClient, first: dict[str, Any], read: dict[str, Any]) -> None:
    had = {"If-None-Match": f'"{read["id"]}"'}
    for headers in ({}, had):
        reply = member_client.get(f"/api/files/{read['id']}", headers=headers)
        assert (reply.status_code, error_code(reply)) == (404, "file_not_kept")


@pytest.mark.security("foreign-is-absent")
def test_somebody_elses_is_as_absent_as_any(
    client: PageClient, admin_client: PageClient, first: dict[str, Any], read: dict[str, Any]
) -> None:
    reply = admin_client.get(f"/api/files/{read['id']}")
    assert (reply.status_code, error_code(reply)) == (404, "not_found")
    assert client.get(f"/api/files/{read['id']}").status_code == 401


def test_it_is_answered_again_gone_on_with_and_followed(
    member_client: PageClient, upstream: ScriptedUpstream, first: dict[str, Any]
) -> None:
    question = {"role": "user", "content": f"{TOLD}\n\nwhat is it?"}
    gone_on = member_client.post(f"/api/runs/{first['run_id']}/continue", json={}, headers=JSON)
    assert gone_on.status_code == 200, gone_on.text
    assert asked(upstream)[0] == question
    again = member_client.post(f"/api/messages/{question_of(member_client, first)}/answers", json={}, headers=JSON)
    assert again.status_code == 200, again.text
    assert asked(upstream) == [question]
    assert ask(member_client, "more", conversation_id=first["conversation_id"]).status_code == 200
    assert asked(upstream)[0] == question


def test_it_goes_with_no_other_question(
    member_client: PageClient, upstream: ScriptedUpstream, first: dict[str, Any], read: dict[str, Any]
) -> None:
    place = {"conversation_id": first["conversation_id"], "parent_id": None}
    refused = ask(member_client, "edited", **place, files=[read["id"]])
    assert (refused.status_code, error_code(refused)) == (422, "file_gone")
    assert ask(member_client, "edited", **place).status_code == 200


def test_a_picture_that_is_gone_is_no_picture(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    """A model that does not see may be asked."""
    seen = files.kept(member_client, files.picture(), "board.png")
    reply = ask(member_client, files=[seen["id"]]).json
    expire(seen["id"])
    with transaction() as session:
        session.execute(update(ChatModel).values(sees=False))
    again = member_client.post(f"/api/messages/{question_of(member_client, reply)}/answers", json={}, headers=JSON)
    assert again.status_code == 200, again.text
    told = "[file that is not available: board.png]"
    assert asked(upstream) == [{"role": "user", "content": f"{told}\n\nwhat is it?"}]
