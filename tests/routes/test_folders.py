"""Folders: made, renamed and deleted; conversations are moved into them, out of them and from one to another."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction
from flask_app.errors import NotFound
from flask_app.models import Conversation, Folder, User
from flask_app.services.conversations import conversation_lists, folder_service
from flask_app.services.conversations.folder_service import MAX_NAME, MOST_FOLDERS
from flask_app.services.search import search_index
from tests.conftest import MakeUser, SignIn
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.listing import ARCHIVED, LIST, UNFILED, all_ids, fill, ids, page
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.together import at_once

ABSENT = "0" * 26
FOLDERS = "/api/folders"
QueryCount = Callable[[], AbstractContextManager[list[str]]]


def make(client: FlaskClient, name: str = "Work") -> str:
    reply = client.post(FOLDERS, json={"name": name})
    assert reply.status_code == 201, reply.data
    return str(reply.json["id"])  # type: ignore[index]


def inside(folder_id: str) -> str:
    return f"{FOLDERS}/{folder_id}/conversations"


def put_in(client: FlaskClient, folder_id: str, *conversations: str) -> None:
    for each in conversations:
        reply = client.put(f"{inside(folder_id)}/{each}")
        assert reply.status_code == 200
        assert reply.json
        assert reply.json["folder_id"] == folder_id


def names(client: FlaskClient) -> list[str]:
    return [each["name"] for each in client.get(FOLDERS).json["folders"]]  # type: ignore[index]


def test_a_folder_is_made_renamed_and_deleted(member_client: FlaskClient, member: User) -> None:
    work, home = make(member_client), make(member_client, "  at \n home ")
    assert names(member_client) == ["Work", "at home"]
    renamed = member_client.patch(f"{FOLDERS}/{work}", json={"name": "工作"})
    assert renamed.json == {"id": work, "name": "工作"}
    assert page(member_client, UNFILED)["folders"] == [{"id": work, "name": "工作"}, {"id": home, "name": "at home"}]
    assert member_client.delete(f"{FOLDERS}/{work}").status_code == 204
    assert names(member_client) == ["at home"]
    assert member_client.delete(f"{FOLDERS}/{work}").status_code == 404


def test_what_is_in_a_folder_is_listed_there_and_not_among_the_others(member_client: FlaskClient, member: User) -> None:
    listed, work, home = fill(member, 6), make(member_client), make(member_client, "Home")
    put_in(member_client, work, listed[1], listed[4])
    put_in(member_client, home, listed[2], listed[4])  # which moves
    assert ids(member_client, inside(work)) == [listed[1]]
    assert ids(member_client, inside(home)) == [listed[2], listed[4]]
    assert ids(member_client, UNFILED) == [listed[0], listed[3], listed[5]]
    assert ids(member_client) == listed, "whoever pages through all of them misses none"
    assert [each["folder_id"] for each in page(member_client)["conversations"][:3]] == [None, work, home]
    stays = member_client.delete(f"{inside(work)}/{listed[2]}")
    assert stays.json["folder_id"] == home  # type: ignore[index]
    assert member_client.delete(f"{inside(home)}/{listed[2]}").json["folder_id"] is None  # type: ignore[index]
    assert ids(member_client, UNFILED) == [listed[0], listed[2], listed[3], listed[5]]


def test_moving_does_not_make_a_conversation_newer(member_client: FlaskClient, member: User) -> None:
    (own,), work = fill(member, 1), make(member_client)
    before = page(member_client)["conversations"][0]["updated_at"]
    put_in(member_client, work, own)
    assert page(member_client)["conversations"][0]["updated_at"] == before


def test_deleting_a_folder_leaves_its_conversations(member_client: FlaskClient, member: User) -> None:
    listed, work = fill(member, 3), make(member_client)
    put_in(member_client, work, *listed[:2])
    member_client.put(f"/api/conversations/{listed[1]}/archive")
    member_client.delete(f"{FOLDERS}/{work}")
    assert ids(member_client, UNFILED) == [listed[0], listed[2]]
    assert ids(member_client, ARCHIVED) == [listed[1]]
    assert member_client.get(inside(work)).status_code == 404


def test_pages_of_a_folder_and_of_the_rest_follow_each_other(member_client: FlaskClient, member: User) -> None:
    listed, work = fill(member, 95), make(member_client)
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.id.in_(listed[::2])).values(folder_id=work))
    assert all_ids(member_client, inside(work)) == listed[::2]
    assert all_ids(member_client, UNFILED) == listed[1::2]
    first = page(member_client, UNFILED, limit=20)
    assert first["folders"]
    assert page(member_client, UNFILED, limit=20, before=first["next"])["folders"] == []


def test_pins_come_with_the_others_whichever_folder_they_are_in(member_client: FlaskClient, member: User) -> None:
    listed, work = fill(member, 3), make(member_client)
    put_in(member_client, work, listed[1])
    member_client.put(f"/api/conversations/{listed[1]}/pin")
    assert [(each["id"], each["folder_id"]) for each in page(member_client, UNFILED)["pinned"]] == [(listed[1], work)]


def test_the_archive_keeps_the_folder(member_client: FlaskClient, member: User) -> None:
    (own,), work = fill(member, 1), make(member_client)
    put_in(member_client, work, own)
    member_client.put(f"/api/conversations/{own}/archive")
    assert ids(member_client, inside(work)) == []
    member_client.delete(f"/api/conversations/{own}/archive")
    assert ids(member_client, inside(work)) == [own]


def test_the_page_begins_with_folders_and_without_what_is_in_them(member_client: FlaskClient, member: User) -> None:
    (own,) = fill(member, 1, title="kept together")
    put_in(member_client, make(member_client, "A shelf"), own)
    text = member_client.get("/").get_data(as_text=True)
    assert "A shelf" in text
    assert "kept together" not in text


def test_search_says_the_folder(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    started = events_of(member_client.post("/api/chat", json={"message": "which lighthouse?"}).data)[0].data
    work = make(member_client, "Sea marks")
    search_index.catch_up()
    for folder in (None, "Sea marks"):
        if folder:
            put_in(member_client, work, started["conversation_id"])
        hits = page(member_client, "/api/conversations/search", q="lighthouse")["hits"]
        assert len(hits) == 2
        assert {hit["folder"] for hit in hits} == {folder}


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": " \n "}, {"name": "\u200b"}, {"name": "x" * (MAX_NAME + 1)}, {"name": 7}, []]
)
def test_bad_names_are_refused(member_client: FlaskClient, body: Any) -> None:
    work = make(member_client)
    for reply in (
        member_client.post(FOLDERS, json=body),
        member_client.patch(f"{FOLDERS}/{work}", json=body),
    ):
        assert reply.status_code in {400, 422}
        assert reply.json
        assert reply.json["error"]["message"]
    assert names(member_client) == ["Work"]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=101", "before=zzz", "before=%00"])
def test_bad_paging_is_refused(member_client: FlaskClient, query: str) -> None:
    for path in (UNFILED, inside(make(member_client))):
        assert member_client.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_more_than_fits_is_refused_in_words(member_client: FlaskClient, member: User, language: str) -> None:
    for number in range(MOST_FOLDERS):
        folder_service.make(member, str(number))
    refused = member_client.post(FOLDERS, json={"name": "one more"}, headers={"Accept-Language": language})
    assert refused.status_code == 409
    error = refused.json["error"]  # type: ignore[index]
    assert error["code"] == "too_many_folders"
    assert str(MOST_FOLDERS) in error["message"]
    assert ("文件夹" in error["message"]) == (language == "zh")
    member_client.delete(f"{FOLDERS}/{folder_service.listed(member)[0].id}")
    make(member_client, "one more")


def test_folders_of_one_moment_are_counted_one_after_the_other(member: User) -> None:
    for number in range(MOST_FOLDERS - 1):
        folder_service.make(member, str(number))
    outcomes = at_once(5, lambda number: folder_service.make(member, f"last {number}"))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [*["Conflict"] * 4, "Folder"]
    assert len(folder_service.listed(member)) == MOST_FOLDERS


def _one_of(acts: list[Callable[[], Any]], number: int) -> Any:
    return acts[number]()


def test_a_conversation_is_moved_while_its_folder_is_deleted(member: User) -> None:
    """Whoever comes first: nothing fails but what finds no folder, and nothing is in one that is gone."""
    listed = fill(member, 6)
    for own in listed:
        folder = folder_service.make(member, "for a moment").id
        acts: list[Callable[[], Any]] = [
            partial(folder_service.put_in, member, folder, own),
            partial(folder_service.remove, member, folder),
        ]
        moved, removed = at_once(2, partial(_one_of, acts))
        assert removed is None
        assert isinstance(moved, Conversation | NotFound)
    assert len(conversation_lists.listed(member, folder=conversation_lists.UNFILED)[0]) == 6


def test_what_is_somebody_elses_looks_absent_and_stays(
    member_client: FlaskClient, client: FlaskClient, member: User, make_user: MakeUser, sign_in: SignIn
) -> None:
    (own,), work = fill(member, 1), make(member_client)
    stranger = make_user("other")
    other = sign_in(stranger)
    (theirs,), their_folder = fill(stranger, 1), make(other, "Theirs")
    asked = [
        ("PATCH", f"{FOLDERS}/{work}", {"name": "mine now"}),
        ("DELETE", f"{FOLDERS}/{work}", None),
        ("GET", inside(work), None),
        ("PUT", f"{inside(work)}/{theirs}", None),
        ("PUT", f"{inside(their_folder)}/{own}", None),
        ("DELETE", f"{inside(work)}/{theirs}", None),
        ("DELETE", f"{inside(their_folder)}/{own}", None),
    ]
    for method, path, body in asked:
        foreign = other.open(path, method=method, json=body)
        absent = other.open(path.replace(work, ABSENT).replace(own, ABSENT), method=method, json=body)
        assert foreign.status_code == absent.status_code == 404, (method, path)
        assert error_code(foreign) == error_code(absent) == "not_found"
        assert client.open(path, method=method, json=body).status_code == 401
    assert names(member_client) == ["Work"]
    assert ids(member_client, UNFILED) == [own]
    assert client.get(FOLDERS).status_code == client.get(UNFILED).status_code == 401
    assert client.post(FOLDERS, json={"name": "x"}).status_code == 401


def test_folders_go_with_their_person(member: User, make_user: MakeUser) -> None:
    kept = folder_service.make(make_user("other"), "stays")
    folder = folder_service.make(member, "goes")
    fill(member, 2, folder_id=folder.id)
    with transaction() as session:
        session.delete(session.get_one(User, member.id))
    with reading() as session:
        assert session.scalars(select(Folder.id)).all() == [kept.id]
        assert session.scalar(select(func.count()).select_from(Conversation)) == 0


def test_the_number_of_queries_does_not_grow(member_client: FlaskClient, member: User, query_count: QueryCount) -> None:
    work = make(member_client)
    fill(member, 1)
    fill(member, 1, folder_id=work)
    with query_count() as few:
        for path in (UNFILED, inside(work), LIST):
            page(member_client, path)
    for number in range(20):
        folder_service.make(member, str(number))
    fill(member, 60)
    fill(member, 60, folder_id=work)
    with query_count() as many:
        for path in (UNFILED, inside(work), LIST):
            assert len(ids(member_client, path, limit=60)) == 60
    assert few
    assert len(many) == len(few)
