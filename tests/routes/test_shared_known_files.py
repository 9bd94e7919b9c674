"""What shared assistants know: words of the site's, which models are told and nobody reads."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import SharedAssistantFile, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.chat import knowledge
from flask_app.services.people import account_deletion, group_deletion, user_admin_service
from tests.conftest import MakeUser, SignIn
from tests.routes.test_admin_assistants import SHARED, TOLD, details, move
from tests.routes.test_assisted_chats import said
from tests.routes.test_prompts import group
from tests.support import files, sharing
from tests.support.assisted import ASSISTANTS, JSON, TUTOR, ask, share
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import ScriptedUpstream

SECRET = b"A canary of the site: 5b81d2."
SECRET_TOLD = f'<document name="canary.txt">\n{SECRET.decode()}\n</document>'


@pytest.fixture
def brought(admin_client: PageClient) -> dict[str, Any]:
    return files.kept(admin_client, SECRET, "canary.txt")


def knowing(client: PageClient, *file_ids: str, **fields: Any) -> dict[str, Any]:
    reply = client.post(SHARED, json=TUTOR | {"files": list(file_ids)} | fields)
    assert reply.status_code == 201, reply.text
    made: dict[str, Any] = reply.get_json()
    return made


def test_words_are_copied_and_the_administrators_file_is_theirs_to_delete(
    admin_client: PageClient, member_client: PageClient, upstream: ScriptedUpstream, brought: dict[str, Any]
) -> None:
    made = knowing(admin_client, brought["id"])
    (known,) = made["files"]
    facts = ("name", "kind", "content_type", "bytes", "pages", "tokens")
    assert {name: known[name] for name in facts} == {name: brought[name] for name in facts}
    assert known["id"] != brought["id"]
    assert admin_client.delete(f"/api/files/{brought['id']}").status_code == 204
    begun = ask(member_client, assistant_id=made["id"]).json
    assert said(upstream)[0]["content"] == f"{TUTOR['instructions']}\n\n{SECRET_TOLD}"
    again = files.kept(admin_client, b"More of it.", "more.txt")
    path = f"{SHARED}/{made['id']}"
    changed: Any = admin_client.patch(path, json={"files": [again["id"], known["id"]]}).json
    assert [each["name"] for each in changed["files"]] == ["more.txt", "canary.txt"]
    assert changed["updated_at"] > made["updated_at"]
    assert admin_client.get(path).json == changed
    assert admin_client.patch(path, json={"name": "Other"}).json["files"] == changed["files"]  # type: ignore[index]
    member_client.post(f"/api/messages/{begun['user_message_id']}/answers", json={}, headers=JSON)
    assert said(upstream)[0]["content"].index("More of it.") < said(upstream)[0]["content"].index("5b81d2")
    assert admin_client.patch(path, json={"files": []}).json["files"] == []  # type: ignore[index]
    with reading() as session:
        assert session.scalars(select(SharedAssistantFile.id)).all() == []
    assert [list(each["files"].values()) for each in details("assistant.add")] == [["canary.txt"]]
    assert [
        sorted(each["after"]["files"].values()) for each in details("assistant.change") if "files" in each["after"]
    ] == [
        ["canary.txt", "more.txt"],
        [],
    ]
    assert "5b81d2" not in json.dumps(details("assistant.add") + details("assistant.change"))


@pytest.mark.security("foreign-is-absent")
def test_whoever_asks_it_reads_nothing_of_it_by_any_way(
    member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream, brought: dict[str, Any]
) -> None:
    made = knowing(admin_client, brought["id"])
    known = made["files"][0]["id"]
    begun = ask(member_client, assistant_id=made["id"]).json
    assert "5b81d2" in said(upstream)[0]["content"], "the model is told"
    for file_id in (known, brought["id"]):
        assert member_client.get(f"/api/files/{file_id}").status_code == 404
        assert member_client.delete(f"/api/files/{file_id}").status_code == 404
        assert error_code(ask(member_client, files=[file_id])) == "file_gone"
        refused = member_client.post(ASSISTANTS, json=TUTOR | {"files": [file_id]})
        assert (refused.status_code, error_code(refused)) == (422, "file_gone")
    assert admin_client.get(f"/api/files/{known}").status_code == 404, "not even who brought it in"
    assert member_client.get(f"{SHARED}/{made['id']}").status_code == 403
    here = f"/api/conversations/{begun['conversation_id']}"
    sharing.switch("people")
    link = sharing.share(member_client, begun["conversation_id"])["path"]
    pages = ["/", "/assistants", f"/?assistant={made['id']}", "/api/offered-assistants", here, link]
    pages += [f"/c/{begun['conversation_id']}", *(f"{here}/export?format={kind}" for kind in ("md", "html", "json"))]
    for page in pages:
        reply = member_client.get(page)
        assert reply.status_code == 200, page
        for secret in ("5b81d2", "canary.txt", known):
            assert secret not in reply.text, page


@pytest.mark.security("foreign-is-absent")
def test_whoever_leaves_the_group_is_told_nothing_more(
    member: User,
    member_client: PageClient,
    admin_client: PageClient,
    upstream: ScriptedUpstream,
    brought: dict[str, Any],
) -> None:
    theirs, others = group("theirs"), group("others")
    move(member, theirs.id)
    made = knowing(admin_client, brought["id"], group_id=theirs.id)
    begun = ask(member_client, assistant_id=made["id"]).json
    move(member, others.id)
    assert ask(member_client, assistant_id=made["id"]).status_code == 404
    ask(member_client, conversation_id=begun["conversation_id"])
    member_client.post(f"/api/messages/{begun['user_message_id']}/answers", json={}, headers=JSON)
    assert "5b81d2" not in json.dumps([each.body for each in upstream.journal.chats[1:]])
    group_deletion.delete(Actor(None), theirs.id)
    with reading() as session:
        assert session.scalars(select(SharedAssistantFile.id)).all() == []


def test_another_administrator_keeps_what_is_there_and_brings_only_their_own(
    admin_client: PageClient, make_user: MakeUser, sign_in: SignIn, brought: dict[str, Any]
) -> None:
    made = knowing(admin_client, brought["id"])
    other = sign_in(make_user("second", role="admin"))
    path, known = f"{SHARED}/{made['id']}", made["files"][0]["id"]
    theirs = files.kept(other, b"Theirs.", "theirs.txt")
    for foreign in (brought["id"], knowing(other)["id"]):
        refused = other.patch(path, json={"files": [known, foreign]})
        assert (refused.status_code, error_code(refused)) == (422, "file_gone")
    assert len(other.patch(path, json={"files": [known, theirs["id"]]}).json["files"]) == 2  # type: ignore[index]
    second = knowing(other)
    refused = other.patch(f"{SHARED}/{second['id']}", json={"files": [known]})
    assert (refused.status_code, error_code(refused)) == (422, "file_gone"), "another assistant's"


def test_it_outlives_who_brought_it(
    admin: User,
    admin_client: PageClient,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    brought: dict[str, Any],
) -> None:
    made = knowing(admin_client, brought["id"])
    user_admin_service.change(Actor(None), admin.id, role="member")
    account_deletion.begin_for(Actor(None), admin.id)
    account_deletion.finish()
    with reading() as session:
        assert session.get(User, admin.id) is None
    ask(member_client, assistant_id=made["id"])
    assert "5b81d2" in said(upstream)[0]["content"]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["0" * 26], "file_gone"),
        (["0" * 26] * 2, "too_many_known_files"),
        ([7], "invalid_field"),
        ("x", "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: PageClient, brought: dict[str, Any], ids: object, code: str
) -> None:
    made = knowing(admin_client, brought["id"])
    path = f"{SHARED}/{made['id']}"
    for refused in (
        admin_client.post(SHARED, json=TUTOR | {"files": ids}),
        admin_client.patch(path, json={"files": ids}),
    ):
        assert (refused.status_code, error_code(refused)) == (422, code)
    picture = files.kept(admin_client, files.picture(), "picture.png")
    refused = admin_client.patch(path, json={"files": [picture["id"]]})
    assert (refused.status_code, error_code(refused)) == (422, "known_picture")
    assert admin_client.get(path).json == made


def test_of_much_passages_are_told(
    admin_client: PageClient,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    brought: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(knowledge, "WHOLE_TOKENS", 0)
    other = files.kept(admin_client, b"Nothing of that.", "other.txt")
    made = knowing(admin_client, other["id"], brought["id"])
    ask(member_client, "Is there a canary?", assistant_id=made["id"])
    instructions, question = said(upstream)
    assert instructions == TOLD
    assert f"<page>\n{SECRET.decode()}\n</page>\n</document>\n\nIs there a canary?" in question["content"]
    assert "Nothing of that" not in question["content"]


def test_they_go_with_their_assistant(admin_client: PageClient, brought: dict[str, Any]) -> None:
    made = knowing(admin_client, brought["id"])
    assert share().id
    assert admin_client.delete(f"{SHARED}/{made['id']}").status_code == 204
    with reading() as session:
        assert session.scalars(select(SharedAssistantFile.id)).all() == []
