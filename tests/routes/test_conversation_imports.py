"""/api/conversations/import: what was taken along comes back, once, as one's own, and costs nothing."""

import shutil
from collections import namedtuple
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import func, select

from flask_app.database import reading, utc_now
from flask_app.models import Conversation, Folder, KeptDraft, Message, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import draft_service, pin_service
from flask_app.services.people import supervision_service
from flask_app.services.portability import conversation_import, message_tree
from flask_app.services.search import search_index
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.conftest import MakeUser, SignIn
from tests.support import talks
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.exported import without_ids
from tests.support.listing import fill
from tests.support.together import at_once

EXPORT, IMPORT = "/api/conversations/export?format=json", "/api/conversations/import"
LOOK = f"{IMPORT}/look"


def exported(client: PageClient) -> Any:
    response = client.get(EXPORT)
    assert response.status_code == 200
    return response.json


def body_of(file: Any) -> dict[str, Any]:
    return {name: file[name] for name in ("folders", "conversations")}


def sent(client: PageClient, body: Any) -> list[dict[str, Any]]:
    response = client.post(IMPORT, json=body, buffered=True)
    assert response.status_code == 200, response.text
    outcomes: list[dict[str, Any]] = response.json["outcomes"]  # type: ignore[index]
    return outcomes


def how(outcomes: list[dict[str, Any]]) -> list[str]:
    return [each["outcome"] for each in outcomes]


def talk(**fields: Any) -> dict[str, Any]:
    said = {"id": "1", "parent_id": None, "role": "user", "text": "hello", "created_at": "2026-01-01T00:00:00Z"}
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}
    return {"id": "their-1", "title": "Theirs", "messages": [said]} | times | fields


def test_what_was_exported_comes_back_the_same(member: User, make_user: MakeUser, sign_in: SignIn) -> None:
    folder = talks.folder(member, "诗歌")
    talks.branched(member, title="一", folder_id=folder.id, pinned_at=talks.BEGAN)
    talks.branched(member, title="二", archived=True)
    talks.write(member, [("q", None, "user", "三"), ("a", "q", "assistant", "x" * 100_000)], title="三")
    file = exported(sign_in(member))
    another = sign_in(make_user("another"))
    assert how(sent(another, body_of(file))) == ["imported"] * 3
    again = exported(another)
    assert without_ids(again) == without_ids(file)
    ids = [{each["id"] for each in one["conversations"]} for one in (file, again)]
    assert not ids[0] & ids[1], "no id of a file is ever used"


def test_a_second_import_changes_nothing(
    member: User, member_client: PageClient, sign_in: SignIn, make_user: MakeUser
) -> None:
    talks.branched(member, folder_id=talks.folder(member, "诗歌").id)
    file = exported(member_client)
    assert how(sent(member_client, body_of(file))) == ["known"], "it is there under its own id"
    other = sign_in(make_user("another"))
    first = sent(other, body_of(file))
    before = exported(other)
    second = sent(other, body_of(file))
    assert (how(first), how(second)) == (["imported"], ["known"])
    assert first[0]["conversation_id"] == second[0]["conversation_id"]
    after = exported(other)
    assert {**after, "exported_at": ""} == {**before, "exported_at": ""}
    assert how(sent(other, body_of(after))) == ["known"], "and under the one that it got"


def test_what_comes_twice_in_one_part_is_written_once(member_client: PageClient) -> None:
    assert how(sent(member_client, {"conversations": [talk(), talk()]})) == ["imported", "known"]


def test_of_two_tabs_one_writes_it(member: User, sign_in: SignIn) -> None:
    clients = [sign_in(member), sign_in(member)]
    outcomes = at_once(2, lambda number: how(sent(clients[number], {"conversations": [talk()]})))
    assert sorted(outcomes, key=str) == [["imported"], ["known"]]


def test_what_came_in_is_read_found_and_costs_nothing(member: User, member_client: PageClient) -> None:
    (outcome,) = sent(member_client, {"conversations": [talk(title="唐诗三百首", updated_at="2026-01-02T00:00:00Z")]})
    opened: Any = member_client.get(f"/api/conversations/{outcome['conversation_id']}").json
    assert (opened["title"], opened["messages"][0]["text"]) == ("唐诗三百首", "hello")
    assert opened["updated_at"] == "2026-01-02T00:00:00Z"
    search_index.catch_up()
    for words in ("唐诗", "hello"):
        hits: Any = member_client.get("/api/conversations/search", query_string={"q": words}).json
        assert outcome["conversation_id"] in str(hits), words
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(TokenUsage)) == 0


def test_one_can_go_on_with_it(member_client: PageClient) -> None:
    (outcome,) = sent(member_client, {"conversations": [talk()]})
    body = {"message": "and then?", "conversation_id": outcome["conversation_id"]}
    asked = member_client.post("/api/chat", json=body, headers={"Accept": "application/json"})
    assert asked.status_code == 200


@pytest.mark.security("foreign-is-absent", "imports-under-own-ids")
def test_an_id_in_a_file_lays_no_hand_on_what_is_anothers(
    member: User, admin: User, member_client: PageClient, admin_client: PageClient
) -> None:
    foreign = talks.branched(admin, title="theirs")
    draft_service.keep(admin, None, "secret draft", "a-key")
    stolen = [talk(id=foreign.id), talk(id=admin.id)]
    looked: Any = member_client.post(LOOK, json={"conversations": [glimpse(foreign.id), glimpse(admin.id)]}).json
    assert how(looked["outcomes"]) == ["imported", "imported"]
    outcomes = sent(member_client, {"conversations": stolen})
    assert how(outcomes) == ["imported", "imported"], "as for an id that nobody has"
    for outcome in outcomes:
        assert outcome["conversation_id"] not in {foreign.id, admin.id}
        assert "secret" not in member_client.get(f"/c/{outcome['conversation_id']}").text
    with reading() as session:
        assert session.get_one(Conversation, foreign.id).title == "theirs"
        assert session.get_one(KeptDraft, admin.id).text == "secret draft"


def glimpse(id_: str) -> dict[str, Any]:
    return {"id": id_, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z"}


def test_a_look_says_what_would_come_and_writes_nothing(member: User, member_client: PageClient) -> None:
    own = talks.branched(member)
    sent(member_client, {"conversations": [talk()]})
    asked = [glimpse(own.id), glimpse("their-1"), glimpse("their-2")]
    response: Any = member_client.post(LOOK, json={"conversations": asked})
    assert how(response.json["outcomes"]) == ["known", "known", "imported"]
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 2


def test_a_look_asks_the_database_no_more_for_many(
    member_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    counts = []
    for many in (1, 200):
        with query_count() as statements:
            member_client.post(LOOK, json={"conversations": [glimpse(f"x{n}") for n in range(many)]})
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_what_the_site_would_delete_at_once_does_not_come_in(member_client: PageClient) -> None:
    retention_settings.change(Actor(None), Kept(days=30), is_confirmed=True)
    new = utc_now().isoformat()
    outcomes = sent(member_client, {"conversations": [talk(), talk(id="new", updated_at=new)]})
    assert how(outcomes) == ["too_old", "imported"]


def test_whose_words_can_be_read_confirms_that_first(member: User, member_client: PageClient) -> None:
    supervision_service.switch(Actor(None), member.group_id, on=True)
    refused: Any = member_client.post(IMPORT, json={"conversations": [talk()]})
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "supervision_unseen")


def test_pins_and_folders_come_as_far_as_there_is_room(member: User, member_client: PageClient) -> None:
    for each in fill(member, pin_service.MOST_PINNED):
        pin_service.pin(member, each)
    folders = [{"id": "f", "name": "诗歌", "created_at": "2026-01-01T00:00:00Z"}]
    pinned = talk(pinned_at="2026-01-01T00:00:00Z", folder_id="f")
    kept = talk(id="their-2", folder_id="f", archived=True, pinned_at="2026-01-01T00:00:00Z")
    lost = talk(id="their-3", folder_id="none such")
    outcomes = sent(member_client, {"folders": folders, "conversations": [pinned, kept, lost]})
    with reading() as session:
        first, second, third = (session.get_one(Conversation, each["conversation_id"]) for each in outcomes)
        (folder,) = session.scalars(select(Folder)).all()
    assert first.pinned_at is None
    assert second.pinned_at is not None, "for when it is taken back"
    assert first.folder_id == second.folder_id == folder.id
    assert third.folder_id is None


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([("1", "2"), ("2", "1")], "import_not_a_tree"),
        ([("1", "gone")], "import_not_a_tree"),
        ([("1", None), ("1", None)], "import_not_a_tree"),
        ([("1", "1")], "import_not_a_tree"),
        ([("1", None), ("1", "1")], "import_not_a_tree"),
        ([("1", None), ("2", "1"), ("1", "2")], "import_not_a_tree"),
        ([], "import_empty"),
    ],
)
def test_a_broken_one_is_refused_and_stops_no_other(
    member_client: PageClient, messages: list[tuple[str, str | None]], code: str
) -> None:
    said = [talk()["messages"][0] | {"id": own, "parent_id": parent} for own, parent in messages]
    broken, whole = sent(member_client, {"conversations": [talk(messages=said), talk(id="whole")]})
    assert (broken["outcome"], broken["code"], broken["conversation_id"]) == ("refused", code, None)
    assert whole["outcome"] == "imported"


def test_what_it_says_of_itself_is_kept_as_far_as_it_can_be(member_client: PageClient) -> None:
    odd = {
        "status": "running",
        "error_code": "no_such_code",
        "thinking_ms": -5,
        "model": "m\u0000" * 200,
        "finish_reason": "x" * 200,
        "text": "a\u0000b",
        "created_at": "1970-01-01T00:00:00Z",
    }
    answer = talk()["messages"][0] | {"id": "2", "parent_id": "1", "role": "assistant"} | odd
    wanted = talk(title=" \u0000\n", messages=[talk()["messages"][0], answer], updated_at="2999-01-01T00:00:00Z")
    (outcome,) = sent(member_client, {"conversations": [wanted]})
    opened: Any = member_client.get(f"/api/conversations/{outcome['conversation_id']}").json
    by_text = {said["text"]: said for said in opened["messages"]}
    kept = by_text["ab"]
    assert (kept["status"], kept["error"], kept["thinking_ms"]) == ("interrupted", None, None)
    assert (kept["model"], kept["finish_reason"]) == ("m" * 128, "x" * 64)
    assert kept["created_at"] == message_tree.EARLIEST.isoformat().replace("+00:00", "Z")
    assert opened["title"] == "hello"
    assert opened["updated_at"] <= utc_now().isoformat()


@pytest.mark.security("imports-bounded")
def test_what_is_too_much_or_no_import_is_refused(member_client: PageClient) -> None:
    many = [talk(id=str(number)) for number in range(conversation_import.MOST_AT_ONCE + 1)]
    wrong: tuple[list[dict[str, Any]], ...] = (many, [{}], [talk(created_at="x")])
    bad: list[Any] = [{"conversations": each} for each in wrong]
    for body in ({}, *bad):
        assert member_client.post(IMPORT, json=body, buffered=True).status_code == 422, str(body)[:80]
    assert (
        member_client.post(IMPORT, json={"conversations": [talk(created_at="2026-01-01T00:00:00")]}).status_code == 422
    )
    long = {"conversations": [talk(title="x" * (9 << 20))]}
    assert member_client.post(IMPORT, json=long, buffered=True).status_code == 413
    deep = [talk()["messages"][0] | {"id": str(n), "parent_id": str(n - 1) if n else None} for n in range(5_000)]
    (outcome,) = sent(member_client, {"conversations": [talk(messages=deep)]})
    assert member_client.delete(f"/api/conversations/{outcome['conversation_id']}").status_code == 204
    deeper = [talk()["messages"][0] | {"id": str(n)} for n in range(message_tree.MOST_MESSAGES + 1)]
    (refused,) = sent(member_client, {"conversations": [talk(id="x", messages=deeper)]})
    assert refused["code"] == "import_too_many_messages"


def test_nobody_brings_anything_in_who_is_not_signed_in(client: PageClient) -> None:
    assert client.post(IMPORT, json={"conversations": []}, buffered=True).status_code == 401
    assert client.post(LOOK, json={"conversations": []}).status_code == 401


def test_times_that_are_the_same_keep_their_order(member_client: PageClient) -> None:
    said = [
        talk()["messages"][0] | {"id": str(n), "text": str(n), "parent_id": str(n - 1) if n else None}
        for n in range(40)
    ]
    (outcome,) = sent(member_client, {"conversations": [talk(messages=said)]})
    with reading() as session:
        of_it = select(Message.text).where(Message.conversation_id == outcome["conversation_id"])
        texts = session.scalars(of_it.order_by(Message.created_at, Message.id)).all()
    assert texts == [str(n) for n in range(40)]


def test_no_model_is_asked_for_another_title(member: User, member_client: PageClient) -> None:
    (outcome,) = sent(member_client, {"conversations": [talk()]})
    with reading() as session:
        assert session.get_one(Conversation, outcome["conversation_id"]).titled_by == member.id


def test_a_disk_that_is_nearly_full_takes_none(
    member: User, member_client: PageClient, other_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    talks.branched(member)
    body = body_of(exported(member_client))
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 511 << 20))
    refused = other_client.post(IMPORT, json=body)
    assert (refused.status_code, error_code(refused)) == (503, "disk_full")
    monkeypatch.undo()
    assert how(sent(other_client, body)) == ["imported"]
