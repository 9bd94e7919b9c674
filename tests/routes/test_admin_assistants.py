"""Assistants for everybody or for a group: kept by administrators, begun with by people, who do not see their words."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Conversation, SharedAssistant, User
from flask_app.services.assistants import assistant_terms, offered_assistants
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_deletion, user_admin_service
from tests.routes.test_assisted_chats import said
from tests.routes.test_prompts import group
from tests.support.assisted import ASSISTANTS, JSON, TUTOR, ask, keep, share
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.together import at_once

SHARED, OFFERED = "/api/admin/assistants", "/api/offered-assistants"
TOLD = {"role": "system", "content": TUTOR["instructions"]}


def details(action: str) -> list[Any]:
    with reading() as session:
        kept = select(AuditEntry.details).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return [json.loads(each) for each in session.scalars(kept)]


def names(client: PageClient) -> list[tuple[str, str]]:
    offered: Any = client.get(OFFERED).json
    return [(each["name"], each["source"]) for each in offered["assistants"]]


def move(person: User, group_id: str) -> None:
    user_admin_service.change(Actor(None), person.id, group_id=group_id)


def test_one_is_kept_listed_changed_and_deleted(admin_client: PageClient, upstream: ScriptedUpstream) -> None:
    theirs = group("3b")
    made = admin_client.post(SHARED, json=TUTOR | {"group_id": theirs.id, "model": "deepseek-v4-pro"})
    assert made.status_code == 201
    path = f"{SHARED}/{made.json['id']}"  # type: ignore[index]
    assert (made.json["group_id"], made.json["instructions"]) == (theirs.id, TUTOR["instructions"])  # type: ignore[index]
    (listed,) = admin_client.get(SHARED).json["assistants"]  # type: ignore[index]
    assert (listed["group"]["name"], listed["beginning"], "instructions" in listed) == (
        "3b",
        TUTOR["instructions"],
        False,
    )
    assert admin_client.get(path).json == made.json
    changed: Any = admin_client.patch(path, json={"group_id": None, "thinking": "max", "instructions": "x" * 300}).json
    assert (changed["group_id"], changed["thinking"], changed["name"]) == (None, "max", "Tutor")
    assert admin_client.patch(path, json={"name": "Tutor"}).status_code == 200, "nothing changes"
    assert admin_client.patch(path, json={"name": "Other"}).json["updated_at"] > changed["updated_at"]  # type: ignore[index]
    assert admin_client.delete(path).status_code == 204
    for gone in (admin_client.get(path), admin_client.delete(path), admin_client.patch(path, json={})):
        assert (gone.status_code, error_code(gone)) == (404, "unknown_shared_assistant")
    assert [each["group"] for each in details("assistant.add")] == ["3b"]
    first, second = details("assistant.change")
    assert (first["before"]["group"], first["after"]["group"], first["after"]["length"]) == ("3b", None, 300)
    assert first["after"]["instructions"] == "x" * 200
    assert second == {"name": "Other", "before": {"name": "Tutor"}, "after": {"name": "Other"}}
    assert [each["name"] for each in details("assistant.delete")] == ["Other"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"name": "\u200b"}, 422, "bad_assistant_name"),
        ({"instructions": "x" * 16_001}, 422, "bad_instructions"),
        ({"group_id": "nobody's"}, 422, "unknown_group"),
        ({"model": "nobody's"}, 422, "unknown_model"),
        ({"user_id": "x"}, 422, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: PageClient, upstream: ScriptedUpstream, fields: dict[str, Any], status: int, code: str
) -> None:
    kept = share()
    for reply in (
        admin_client.post(SHARED, json=TUTOR | fields),
        admin_client.patch(f"{SHARED}/{kept.id}", json=fields),
    ):
        assert (reply.status_code, error_code(reply)) == (status, code)
    assert len(admin_client.get(SHARED).json["assistants"]) == 1  # type: ignore[index]


def test_members_and_strangers_keep_none(member_client: PageClient, client: PageClient) -> None:
    kept = share()
    for asker, status in ((member_client, 403), (client, 401)):
        assert asker.get(SHARED).status_code == asker.post(SHARED, json=TUTOR).status_code == status
        for ask_for in (asker.get, asker.delete):
            assert ask_for(f"{SHARED}/{kept.id}").status_code == status
        assert asker.patch(f"{SHARED}/{kept.id}", json={}).status_code == status
    assert client.get(OFFERED).status_code == 401


def test_there_is_a_limit_for_each_group_and_lists_come_in_pages(
    admin_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant_terms, "MOST", 2)
    theirs = group("3b")
    kept = [share(whose) for whose in (None, None, theirs.id)]
    for refused in (
        admin_client.post(SHARED, json=TUTOR),
        admin_client.patch(f"{SHARED}/{kept[2].id}", json={"group_id": None}),
    ):
        assert (refused.status_code, error_code(refused)) == (409, "too_many_assistants")
    first: Any = admin_client.get(f"{SHARED}?limit=2").json
    rest: Any = admin_client.get(f"{SHARED}?limit=2&before={first['next']}").json
    shown = [each["id"] for page in (first, rest) for each in page["assistants"]]
    assert (shown, rest["next"]) == ([each.id for each in reversed(kept)], None)
    for bad in ("limit=0", "before=x"):
        assert admin_client.get(f"{SHARED}?{bad}").status_code == 400


@pytest.mark.parametrize("whose", ["everybody", "3b"])
def test_the_limit_holds_also_for_those_of_one_moment(
    app: Flask, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    monkeypatch.setattr(assistant_terms, "MOST", 2)
    theirs = None if whose == "everybody" else group(whose).id
    outcomes = at_once(4, lambda _: share(theirs))
    assert sum(isinstance(each, SharedAssistant) for each in outcomes) == 2, outcomes
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(SharedAssistant)) == 2


@pytest.mark.security("foreign-is-absent")
def test_people_begin_with_them_and_do_not_see_their_words(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    theirs, others = group("theirs"), group("others")
    move(member, theirs.id)
    for_all, for_them, foreign = share(name="all"), share(theirs.id, name="them"), share(others.id, name="others")
    keep(member_client, name="mine", instructions="my own")
    assert names(member_client) == [("mine", "own"), ("them", "group"), ("all", "site")]
    for assistant in (for_all, for_them):
        begun = ask(member_client, assistant_id=assistant.id).json
        assert said(upstream)[0] == TOLD
        thread: Any = member_client.get(f"/api/conversations/{begun['conversation_id']}").json
        assert thread["assistant"]["name"] == assistant.name
        assert TUTOR["instructions"] not in json.dumps(thread)
        assert member_client.get(f"{ASSISTANTS}/{assistant.id}").status_code == 404
        assert member_client.patch(f"{ASSISTANTS}/{assistant.id}", json={"name": "x"}).status_code == 404
        assert member_client.delete(f"{ASSISTANTS}/{assistant.id}").status_code == 404
    refused = ask(member_client, assistant_id=foreign.id)
    assert (refused.status_code, error_code(refused)) == (404, "unknown_assistant")
    for page in ("/", "/assistants", OFFERED, f"/?assistant={for_them.id}"):
        text = member_client.get(page).text
        assert TUTOR["instructions"] not in text, page
        assert foreign.id not in text, page
        assert for_them.id in text, page
    assert "others" not in member_client.get(f"/?assistant={foreign.id}").text


def test_whoever_leaves_the_group_goes_on_without_and_finds_it_again_on_coming_back(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    theirs = group("theirs")
    move(member, theirs.id)
    kept = share(theirs.id)
    begun = ask(member_client, assistant_id=kept.id).json
    here, path = {"conversation_id": begun["conversation_id"]}, f"/api/conversations/{begun['conversation_id']}"
    move(member, DEFAULT_GROUP_ID)
    assert ask(member_client, assistant_id=kept.id).status_code == 404
    for _ in range(2):
        ask(member_client, **here)
        assert said(upstream)[0]["role"] == "user"
        member_client.post(f"/api/messages/{begun['user_message_id']}/answers", json={}, headers=JSON)
        assert said(upstream)[0]["role"] == "user"
        assert member_client.get(path).json["assistant"] is None  # type: ignore[index]
    move(member, theirs.id)
    ask(member_client, **here)
    assert said(upstream)[0] == TOLD
    member_client.post(f"/api/messages/{begun['user_message_id']}/answers", json={}, headers=JSON)
    assert said(upstream)[0] == TOLD


def test_a_deleted_group_takes_its_assistants_along_and_their_conversations_stay(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    theirs = group("theirs")
    move(member, theirs.id)
    begun = ask(member_client, assistant_id=share(theirs.id).id).json
    group_deletion.delete(Actor(None), theirs.id)
    assert [each["assistants"] for each in details("group.delete")] == [1]
    with reading() as session:
        assert session.get_one(Conversation, begun["conversation_id"]).shared_assistant_id is None
    ask(member_client, conversation_id=begun["conversation_id"])
    assert said(upstream)[0]["role"] == "user"


def test_a_new_chat_shows_a_few_of_both(member: User, member_client: PageClient) -> None:
    for number in range(8):
        keep(member_client, name=f"own {number}")
    share(name="shared 0")
    assert [each.source for each in offered_assistants.few(member, 6)] == ["own"] * 5 + ["site"]
    for number in range(1, 8):
        share(name=f"shared {number}")
    assert [each.source for each in offered_assistants.few(member, 6)] == ["own"] * 3 + ["site"] * 3
    assert len(offered_assistants.listed(member)) == 16
