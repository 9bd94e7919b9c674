"""Disclosed supervision: told before anything can be read, each look noted and seen, over at once."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, Conversation, Group, Message, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import account_deletion, supervision_service, user_admin_service
from tests.conftest import MakeUser, SignIn
from tests.support import files, managing
from tests.support.clients import PageClient
from tests.support.entrance import error_code, stored
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import ScriptedUpstream


class Class:
    def __init__(self, make_user: MakeUser, sign_in: SignIn) -> None:
        self.teacher = make_user("teacher")
        self.group = managing.group("Class 3b", "teacher")
        self.person = make_user("pupil", group_id=self.group)
        self.pupil, self.client = sign_in(self.person), sign_in(self.teacher)

    def look(self, conversation: str | None = None, user: User | None = None, before: str | None = None) -> Any:
        named = {"conversation_id": conversation, "before": before}
        body = {name: value for name, value in named.items() if value is not None}
        return self.client.post(f"/api/managed/{self.group}/people/{(user or self.person).id}/looks", json=body)


@pytest.fixture
def room(make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream) -> Class:
    return Class(make_user, sign_in)


def switch(client: PageClient, group: str, *, on: bool = True) -> Any:
    return client.put(f"/api/admin/groups/{group}/supervision", json={"supervised": on})


def ask(client: PageClient, message: str, **body: Any) -> Any:
    return client.post("/api/chat", json={"message": message} | body, headers={"Accept": "application/json"})


def looks() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "supervision.look"))
        return [(each.actor_name, each.target, json.loads(each.details)) for each in entries]


def test_nothing_is_asked_before_the_notice_is_confirmed(room: Class, admin_client: PageClient) -> None:
    assert ask(room.pupil, "before").status_code == 200
    assert switch(admin_client, room.group).status_code == 200
    refused = ask(room.pupil, "unaware")
    assert (refused.status_code, error_code(refused)) == (409, "supervision_unseen")
    page = room.pupil.get("/supervision")
    assert page.status_code == 200
    assert "teacher" in page.text
    assert room.pupil.post("/api/me/supervision").status_code == 204
    assert ask(room.pupil, "aware").status_code == 200
    assert 'href="/supervision"' in room.pupil.get("/").text, "the notice stays"
    assert 'href="/supervision"' not in room.pupil.get("/?temporary").text


def test_what_was_written_before_is_not_read(room: Class, admin_client: PageClient) -> None:
    old = ask(room.pupil, "an old secret").json["conversation_id"]
    switch(admin_client, room.group)
    assert room.look().status_code == 404, "nobody has confirmed yet"
    room.pupil.post("/api/me/supervision")
    assert room.look().json == {"conversations": [], "next": None, "messages": []}
    assert room.look(old).status_code == 404
    ask(room.pupil, "said later", conversation_id=old)
    new = ask(room.pupil, "a new question").json["conversation_id"]
    listed = {each["id"]: each["title"] for each in room.look().json["conversations"]}
    assert listed == {old: None, new: "a new question"}
    told = json.dumps(room.look(old).json)
    assert "said later" in told
    assert "an old secret" not in told
    assert [each["role"] for each in room.look(new).json["messages"]] == ["user", "assistant"]


def test_files_are_told_by_their_names(room: Class, admin_client: PageClient) -> None:
    """Beside the words where there are some."""
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    ids = [files.kept(room.pupil, words, name)["id"] for words, name in ((b"one", "a.txt"), (b"two", "b.txt"))]
    for message, attached in (("what is it?", ids), ("", ids[:1])):
        conversation = ask(room.pupil, message, files=attached).json["conversation_id"]
        question, answer = room.look(conversation).json["messages"]
        assert question["text"] == "\n\n".join(filter(None, [", ".join(["a.txt", "b.txt"][: len(attached)]), message]))
        assert "txt" not in answer["text"]


def test_each_look_is_noted_and_its_person_sees_it(room: Class, admin_client: PageClient) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    new = ask(room.pupil, "a new question").json["conversation_id"]
    room.look()
    room.look(new)
    about = {"username": "pupil", "group": "Class 3b"}
    assert sorted(looks(), key=str) == sorted(
        (("teacher", room.person.id, about | {"conversation": each}) for each in (None, new)), key=str
    )
    assert "a new question" not in json.dumps(looks()), "the log says that it was read, not what"
    own = room.pupil.get("/api/me/looks").json["looks"]  # type: ignore[index]
    assert [(each["by"], each["what"], each["conversation_id"]) for each in own] == [
        ("teacher", "conversation", new),
        ("teacher", "list", None),
    ]
    assert f"/c/{new}" in room.pupil.get("/account").text
    assert room.client.get("/api/me/looks").json == {"looks": []}


def test_all_that_can_be_read_is_reached_page_by_page(room: Class, admin_client: PageClient) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    now, count = utc_now(), 2 * supervision_service.LISTED + 3
    ids = sorted(new_id() for _ in range(count))
    with transaction() as session:
        for number, each in enumerate(ids):  # several of the same moment
            moment = now + timedelta(seconds=number // 4)
            session.add(Conversation(id=each, user_id=room.person.id, title="t", created_at=moment, updated_at=moment))
        session.flush()
        for each in ids:
            session.add(Message(conversation_id=each, role="user", text="a question", created_at=now))
    pages = [room.look().json]
    while pages[-1]["next"]:
        pages.append(room.look(before=pages[-1]["next"]).json)
    assert [len(page["conversations"]) for page in pages] == [supervision_service.LISTED] * 2 + [3]
    assert [each["id"] for page in pages for each in page["conversations"]] == ids[::-1]
    assert len(looks()) == len(pages), "each page is a look"
    refused = room.look(before="x")
    assert (refused.status_code, error_code(refused)) == (400, "bad_cursor")
    assert len(looks()) == len(pages), "nothing was shown"


def test_a_link_for_a_password_is_told_too(room: Class, admin_client: PageClient) -> None:
    """Whoever holds it can sign in as that person."""
    assert room.client.post(f"/api/managed/{room.group}/people/{room.person.id}/reset-link").status_code == 200
    assert admin_client.post(f"/api/admin/users/{room.person.id}/reset-link").status_code == 200
    own = room.pupil.get("/api/me/looks").json["looks"]  # type: ignore[index]
    assert [(each["by"], each["what"]) for each in own] == [("admin", "link"), ("teacher", "link")]
    page = room.pupil.get("/account").text
    assert "生成了重设你密码的链接" in page
    assert "看了对话列表" not in page


def test_many_looks_hide_no_link(room: Class, admin_client: PageClient) -> None:
    room.client.post(f"/api/managed/{room.group}/people/{room.person.id}/reset-link")
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    for _ in range(supervision_service.MOST_LOOKS + 1):
        supervision_service.conversations(Actor(room.teacher), room.group, room.person.id)
    own = room.pupil.get("/api/me/looks").json["looks"]  # type: ignore[index]
    assert Counter(each["what"] for each in own) == {"list": supervision_service.MOST_LOOKS, "link": 1}


def test_nobody_confirms_what_is_not_there(room: Class, admin_client: PageClient) -> None:
    assert room.pupil.post("/api/me/supervision").status_code == 204
    assert stored(room.person).supervision_seen_at is None
    switch(admin_client, room.group)
    assert ask(room.pupil, "unaware").status_code == 409


def test_confirming_again_takes_nothing_from_what_can_be_read(room: Class, admin_client: PageClient) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    confirmed = stored(room.person).supervision_seen_at
    written = ask(room.pupil, "a question").json["conversation_id"]
    assert room.pupil.post("/api/me/supervision").status_code == 204
    assert stored(room.person).supervision_seen_at == confirmed
    assert [each["id"] for each in room.look().json["conversations"]] == [written]
    assert [each["role"] for each in room.look(written).json["messages"]] == ["user", "assistant"]


def test_of_a_deleted_account_nothing_is_read_while_it_is_removed(room: Class, admin_client: PageClient) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    written = ask(room.pupil, "a question").json["conversation_id"]
    account_deletion.begin_for(Actor(None), room.person.id)
    assert stored(room.person).deleted_at is not None, "what is left of it is still there"
    assert (room.look().status_code, room.look(written).status_code) == (404, 404)
    assert room.client.get(f"/managed/{room.group}/read/{room.person.id}").status_code == 404
    assert looks() == []


def test_a_clock_that_is_behind_keeps_nobody_from_confirming(room: Class) -> None:
    ahead = utc_now() + timedelta(minutes=1)
    with transaction() as session:
        session.get_one(Group, room.group).supervised_since = ahead
    room.pupil.post("/api/me/supervision")
    assert stored(room.person).supervision_seen_at == ahead
    assert ask(room.pupil, "aware").status_code == 200


def test_the_page_of_who_has_not_confirmed_says_so(room: Class, admin_client: PageClient) -> None:
    path = f"/managed/{room.group}/read/{room.person.id}"
    assert room.client.get(path).status_code == 404, "the group is not supervised"
    switch(admin_client, room.group)
    assert "还没有确认说明" in room.client.get(path).text
    room.pupil.post("/api/me/supervision")
    page = room.client.get(path).text
    assert "还没有确认说明" not in page
    assert "/looks" in page


def test_switching_it_off_ends_it_at_once(room: Class, admin_client: PageClient) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    ask(room.pupil, "a new question")
    switch(admin_client, room.group, on=False)
    assert room.look().status_code == 404
    assert room.pupil.get("/supervision").status_code == 302
    assert ask(room.pupil, "free").status_code == 200
    switch(admin_client, room.group)
    assert room.look().status_code == 404
    assert ask(room.pupil, "unaware").status_code == 409, "on again, it is told again"


def test_who_moves_is_told_anew_and_takes_what_they_wrote_along(room: Class, admin_client: PageClient) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    written = ask(room.pupil, "a question").json["conversation_id"]
    for group in (DEFAULT_GROUP_ID, room.group):
        user_admin_service.change(Actor(None), room.person.id, group_id=group)
        assert room.look().status_code == 404
        assert room.look(written).status_code == 404
    assert ask(room.pupil, "unaware").status_code == 409


def test_only_members_of_the_group_are_read_by_its_managers(
    room: Class, admin_client: PageClient, admin: User, make_user: MakeUser, member: User
) -> None:
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    for person in (member, admin):
        assert room.look(user=person).status_code == 404
    assert room.look(new_id()).status_code == 404
    colleague = make_user("colleague", "admin", group_id=room.group)
    assert error_code(room.look(user=colleague)) == "role_not_lower"
    path = f"/api/managed/{room.group}/people/{room.person.id}/looks"
    assert admin_client.post(path, json={}).status_code == 404
    assert room.pupil.post(path, json={}).status_code == 404
    page = room.client.get(f"/managed/{room.group}/read/{room.person.id}")
    assert page.status_code == 200
    assert room.client.get(f"/managed/{room.group}/read/{member.id}").status_code == 404


def test_anothers_conversation_is_not_there(room: Class, admin_client: PageClient, member_client: PageClient) -> None:
    foreign = ask(member_client, "mine").json["conversation_id"]
    switch(admin_client, room.group)
    room.pupil.post("/api/me/supervision")
    assert room.look(foreign).status_code == 404
    assert looks() == []


def test_programs_and_temporary_chats_are_not_concerned(app: Flask, room: Class, admin_client: PageClient) -> None:
    program = Program(app, made(room.person).secret)
    switch(admin_client, room.group)
    assert program.complete().status_code == 200


def test_only_administrators_switch_it(room: Class, client: PageClient, admin_client: PageClient, admin: User) -> None:
    assert switch(room.client, room.group).status_code == 403
    assert switch(client, room.group).status_code == 401
    assert switch(admin_client, new_id()).status_code == 404
    assert admin_client.put(f"/api/admin/groups/{room.group}/supervision", json={}).status_code == 422
    assert switch(admin_client, room.group).json["supervised_since"] is not None
    switch(admin_client, room.group)
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "group.supervise"))
    assert (entry.actor_id, entry.target) == (admin.id, room.group)
    assert client.post("/api/me/supervision").status_code == 401
    assert client.get("/api/me/looks").status_code == 401
