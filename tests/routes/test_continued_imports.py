"""/api/conversations/import: what was written since a conversation came in comes behind what it follows."""

from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Conversation, Message, User
from flask_app.services.portability import import_quota
from tests.conftest import MakeUser, SignIn
from tests.routes.test_conversation_imports import IMPORT, LOOK, exported, how, sent
from tests.support import files, talks
from tests.support.clients import PageClient
from tests.support.together import at_once

BEGAN = "2026-01-01T00:00:00Z"
Lines = list[tuple[str, str | None, str]]
FIRST: Lines = [("q", None, "one"), ("a", "q", "two")]
MORE: Lines = [*FIRST, ("q2", "a", "three"), ("a2", "q2", "four")]


def talk(lines: Lines, **fields: Any) -> dict[str, Any]:
    said = [
        {
            "id": own,
            "parent_id": above,
            "role": "assistant" if own.startswith("a") else "user",
            "text": text,
            "created_at": BEGAN,
        }
        for own, above, text in lines
    ]
    return {"id": "their-1", "title": "Theirs", "created_at": BEGAN, "updated_at": BEGAN, "messages": said} | fields


def glimpse(whole: dict[str, Any], *filled: str) -> dict[str, Any]:
    asked = {name: whole[name] for name in ("id", "created_at", "updated_at")}
    return asked | {"messages": [each["id"] for each in whole["messages"]], "filled": filled}


def looked(client: PageClient, *glimpses: dict[str, Any]) -> list[str]:
    response: Any = client.post(LOOK, json={"conversations": glimpses})
    return how(response.json["outcomes"])


def tree(client: PageClient) -> dict[str, str | None]:
    """What each follows, by what they say."""
    (kept,) = exported(client)["conversations"]
    texts = {said["id"]: said["text"] for said in kept["messages"]}
    return {said["text"]: texts.get(said["parent_id"]) for said in kept["messages"]}


def test_what_is_new_comes_behind_what_it_follows_once(member_client: PageClient) -> None:
    (first,) = sent(member_client, {"conversations": [talk(FIRST)]})
    grown = talk(MORE, title="Renamed there", updated_at="2026-02-01T00:00:00Z")
    assert looked(member_client, glimpse(grown)) == ["continued"]
    (second,) = sent(member_client, {"conversations": [grown]})
    assert (second["outcome"], second["conversation_id"]) == ("continued", first["conversation_id"])
    assert tree(member_client) == {"one": None, "two": "one", "three": "two", "four": "three"}
    after = exported(member_client)
    assert after["conversations"][0]["title"] == "Theirs"
    assert after["conversations"][0]["updated_at"] == "2026-02-01T00:00:00Z"
    assert looked(member_client, glimpse(grown), glimpse(talk(FIRST))) == ["known", "known"]
    assert how(sent(member_client, {"conversations": [grown, talk(FIRST)]})) == ["known", "known"]
    assert exported(member_client)["conversations"] == after["conversations"]


def test_what_was_written_here_meanwhile_stays(member: User, member_client: PageClient) -> None:
    (first,) = sent(member_client, {"conversations": [talk(FIRST)]})
    with transaction() as session:
        of_it = select(Message).where(Message.text == "two")
        above, now = session.scalars(of_it).one(), utc_now()
        session.add(
            Message(conversation_id=above.conversation_id, parent_id=above.id, role="user", text="here", created_at=now)
        )
        session.execute(update(Conversation).values(title="Mine", updated_at=now))
    assert how(sent(member_client, {"conversations": [talk(MORE)]})) == ["continued"]
    assert tree(member_client) == {"one": None, "two": "one", "here": "two", "three": "two", "four": "three"}
    with reading() as session:
        kept = session.get_one(Conversation, first["conversation_id"])
        assert (kept.title, kept.updated_at) == ("Mine", now)


def test_what_has_come_to_be_with_others_goes_on_too(member: User, make_user: MakeUser, sign_in: SignIn) -> None:
    """From one site to another, twice."""
    here, there = sign_in(member), sign_in(make_user("another"))
    talks.write(member, [("q", None, "user", "one")], title="t")
    assert how(sent(there, {"conversations": exported(here)["conversations"]})) == ["imported"]
    file = exported(here)
    (own,) = file["conversations"]
    answer = own["messages"][0] | {"id": "a", "parent_id": own["messages"][0]["id"], "role": "assistant", "text": "two"}
    own["messages"].append(answer)
    assert how(sent(here, {"conversations": [own]})) == ["known"], "it is there under its own id"
    assert how(sent(there, {"conversations": [own]})) == ["continued"]
    assert tree(there) == {"one": None, "two": "one"}


def test_what_came_before_messages_had_marks_stays_as_it_is(member_client: PageClient) -> None:
    sent(member_client, {"conversations": [talk([("q", None, "one")])]})
    assert looked(member_client, glimpse(talk([("other", None, "one")]))) == ["known"]
    assert how(sent(member_client, {"conversations": [talk([("other", None, "one")])]})) == ["known"]
    assert tree(member_client) == {"one": None}


def test_of_two_tabs_one_goes_on(member: User, sign_in: SignIn) -> None:
    clients = [sign_in(member), sign_in(member)]
    sent(clients[0], {"conversations": [talk(FIRST)]})
    outcomes = at_once(2, lambda number: how(sent(clients[number], {"conversations": [talk(MORE)]})))
    assert sorted(outcomes, key=str) == [["continued"], ["known"]]
    assert len(tree(clients[0])) == len(MORE)


def test_what_is_no_tree_any_more_is_refused_and_changes_nothing(member_client: PageClient) -> None:
    sent(member_client, {"conversations": [talk(FIRST)]})
    (refused,) = sent(member_client, {"conversations": [talk([*FIRST, ("q2", "gone", "three")])]})
    assert (refused["outcome"], refused["code"]) == ("refused", "import_not_a_tree")
    assert len(tree(member_client)) == len(FIRST)


def test_what_is_new_counts_for_the_day(member_client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(member_client, {"conversations": [talk(FIRST)]})
    monkeypatch.setattr(import_quota, "MOST_MESSAGES", 3)
    assert member_client.post(IMPORT, json={"conversations": [talk(MORE)]}).status_code == 429
    assert how(sent(member_client, {"conversations": [talk(MORE[:3])]})) == ["continued"]


def test_contents_that_were_left_out_take_the_place_of_their_names(member_client: PageClient) -> None:
    about = {"id": "f", "name": "a.txt", "kind": "text", "content_type": "text/plain", "bytes": 7}
    whole = talk(FIRST)
    whole["messages"][0]["files"] = [about, about | {"id": "g", "name": "b.txt"}]
    sent(member_client, {"conversations": [whole]})
    assert looked(member_client, glimpse(whole), glimpse(whole, "q")) == ["known", "continued"]
    assert how(sent(member_client, {"conversations": [whole]})) == ["known"]
    content = files.kept(member_client, b"Spring", "a.txt")["id"]
    body = {"conversations": [whole], "contents": {"f": content, "g": "not one's own"}}
    assert how(sent(member_client, body)) == ["continued"]
    (kept,) = exported(member_client)["conversations"]
    absent = {each["name"]: each["absent"] for each in kept["messages"][0]["files"]}
    assert absent == {"a.txt": None, "b.txt": "left_out"}
    assert how(sent(member_client, body)) == ["known"]


def test_no_more_are_compared_at_once_than_are_sent(member_client: PageClient) -> None:
    many = [glimpse(talk(FIRST, id=str(number))) for number in range(201)]
    refused: Any = member_client.post(LOOK, json={"conversations": many})
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "import_too_many")
