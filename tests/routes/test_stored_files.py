"""Contents of files in S3-compatible storage, with a real server of it, and in a folder: people see no difference."""

import dataclasses
import hashlib
import io
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from sqlalchemy import func, select, update

from flask_app import metrics
from flask_app.database import engine, reading, transaction, utc_now
from flask_app.files_setting import FilesPlace
from flask_app.models import Attempt, ChatModel, FilePiece, KeptFile, MessageFile, User
from flask_app.services.files import contents, file_expiry, file_retention, object_store, removed_objects, s3_store
from flask_app.services.operations import upkeep_service
from tests.support import attached, files, stores, talks
from tests.support.attached import ask
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.object_server import ObjectServer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.together import at_once

LONG = b"words of a text\n" * 80_000
AWAY = (503, "files_unavailable")


class Held:
    """What lies in the store that is tried."""

    def __init__(self, place: FilesPlace, list_all: Callable[[], set[str]]) -> None:
        self.place, self.list_all = place, list_all


@pytest.fixture(params=["s3", "folder"])
def held(request: pytest.FixtureRequest, app: object, tmp_path: Path) -> Held:
    if request.param == "s3":
        server: ObjectServer = request.getfixturevalue("objects")
        found = Held(server.place(), lambda: {name.removeprefix("files/") for name in server.held()})
    else:
        found = Held(FilesPlace(folder=tmp_path), lambda: {file.name for file in tmp_path.rglob("*") if file.is_file()})
    stores.use(found.place)
    return found


@pytest.fixture
def store(objects: ObjectServer, app: object) -> ObjectServer:
    stores.use(objects.place())
    return objects


def kept(client: PageClient, content: bytes = LONG, name: str = "file.txt") -> str:
    return str(files.kept(client, content, name)["id"])


def got(client: PageClient, file_id: str) -> Any:
    return client.get(f"/api/files/{file_id}")


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, error_code(response)


def test_what_comes_in_lies_there_and_is_read_from_there(member_client: PageClient, held: Held) -> None:
    file_id = kept(member_client)
    assert held.list_all() == {stores.places()[file_id]}
    assert files.stored(FilePiece) == 0
    response = got(member_client, file_id)
    assert response.data == LONG
    assert response.headers["Content-Length"] == str(len(LONG))
    with reading() as session:
        assert session.get_one(KeptFile, file_id).content_digest == hashlib.sha256(LONG).hexdigest()
    unchanged = member_client.get(f"/api/files/{file_id}", headers={"If-None-Match": response.headers["ETag"]})
    assert unchanged.status_code == 304


def test_the_same_once_more_is_the_same_and_anothers_is_an_object_of_its_own(
    member_client: PageClient, other_client: PageClient, held: Held
) -> None:
    assert kept(member_client) == kept(member_client, name="again.txt")
    assert len(held.list_all()) == 1
    other = kept(other_client)
    assert len(held.list_all()) == 2
    assert refusal(got(member_client, other)) == (404, "not_found")
    assert other_client.delete(f"/api/files/{other}").status_code == 204
    removed_objects.prune()
    assert len(held.list_all()) == 1
    assert got(member_client, next(iter(stores.places()))).data == LONG


def test_the_same_that_comes_twice_at_once_is_kept_once(member_client: PageClient, held: Held) -> None:
    told = at_once(2, lambda _: files.sent(member_client, LONG))
    assert {each.status_code for each in told} <= {201, 503}  # type: ignore[attr-defined]
    stores.have_all_due()
    removed_objects.prune()
    assert held.list_all() == set(stores.places().values())
    assert len(stores.places()) == 1


def test_who_is_signed_out_reads_nothing_and_no_address_leads_there(
    member_client: PageClient, client: PageClient, store: ObjectServer
) -> None:
    file_id = kept(member_client)
    assert got(client, file_id).status_code == 401
    (name,) = store.held()
    unsigned = urllib3.request("GET", f"{store.endpoint}/{store.place().bucket}/{name}")
    assert 400 <= unsigned.status < 500
    assert b"words" not in unsigned.data


def test_what_is_deleted_goes_from_there(member_client: PageClient, held: Held) -> None:
    file_id = kept(member_client)
    (key,) = held.list_all()
    assert member_client.delete(f"/api/files/{file_id}").status_code == 204
    assert stores.to_go() == {key}
    upkeep_service.tick()
    assert (held.list_all(), stores.to_go()) == (set(), set())


def test_what_expires_goes_from_there(member: User, member_client: PageClient, held: Held) -> None:
    file_id = kept(member_client)
    files.attach(file_id, talks.branched(member).id)
    with transaction() as session:
        session.execute(update(KeptFile).values(created_at=utc_now() - timedelta(days=9)))
    assert file_expiry.expire(file_id, utc_now())
    removed_objects.prune()
    assert held.list_all() == set()
    assert refusal(got(member_client, file_id)) == (404, "file_not_kept")


def test_who_deletes_their_account_takes_all_along(
    member: User, member_client: PageClient, other_client: PageClient, held: Held
) -> None:
    kept(member_client)
    other = kept(other_client)
    assert file_retention.forget(member.id)
    removed_objects.prune()
    assert held.list_all() == {stores.places()[other]}


def test_what_came_before_the_setting_is_still_read_and_so_after_it(member_client: PageClient, held: Held) -> None:
    stores.use(None)
    before = kept(member_client, b"before")
    stores.use(held.place)
    meanwhile = kept(member_client, b"meanwhile")
    stores.use(dataclasses.replace(held.place, takes_new=False))
    after = kept(member_client, b"after")
    assert [stores.places()[each] is None for each in (before, meanwhile, after)] == [True, False, True]
    assert [got(member_client, each).data for each in (before, meanwhile, after)] == [b"before", b"meanwhile", b"after"]
    stores.use(None)
    assert refusal(got(member_client, meanwhile)) == AWAY
    assert got(member_client, before).data == b"before"


def test_where_it_is_away_a_new_one_is_refused_and_nothing_is_kept(
    member_client: PageClient, store: ObjectServer
) -> None:
    there = kept(member_client, b"there")
    failures = metrics.STORE_FAILURES._value.get()
    store.kill()
    assert refusal(files.sent(member_client, LONG)) == AWAY
    assert list(stores.places()) == [there]
    assert refusal(got(member_client, there)) == AWAY
    assert metrics.STORE_FAILURES._value.get() == failures + 2
    assert files.sent(member_client, b"there").status_code == 201, "it is the one that is there"
    store.start_again()
    assert got(member_client, there).data == b"there"
    assert got(member_client, kept(member_client)).data == LONG


def test_a_store_that_says_nothing_is_not_waited_for_long(
    member_client: PageClient, store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = kept(member_client)
    with monkeypatch.context() as patched:
        patched.setattr(s3_store, "READ", timedelta(seconds=1))
        object_store._at.cache_clear()
        store.halt()
        assert refusal(got(member_client, there)) == AWAY
    store.resume()
    object_store._at.cache_clear()  # a busy machine may take longer than that
    assert got(member_client, there).data == LONG


@pytest.mark.parametrize("wrong", [{"secret_key": "another"}, {"access_key": "nobody"}, {"bucket": "none"}])
def test_by_wrong_keys_nothing_is_kept_and_nothing_lost(
    member_client: PageClient, objects: ObjectServer, wrong: dict[str, str]
) -> None:
    stores.use(objects.place())
    there = kept(member_client)
    stores.use(objects.place(**wrong))
    assert refusal(files.sent(member_client, b"new")) == AWAY
    assert refusal(got(member_client, there)) == AWAY
    assert member_client.delete(f"/api/files/{there}").status_code == 204
    removed_objects.prune()
    assert len(stores.to_go()) == 2, "it waits until the store takes it"
    stores.use(objects.place())
    stores.have_all_due()
    removed_objects.prune()
    assert (objects.held(), stores.to_go()) == ({}, set())


def test_a_store_that_is_killed_in_mid_upload_leaves_nothing(member_client: PageClient, store: ObjectServer) -> None:
    replies: list[Any] = []
    sender = threading.Thread(target=lambda: replies.append(files.sent(member_client, LONG)))
    store.halt()
    sender.start()
    wait_until(lambda: bool(stores.places()))
    (file_id,) = stores.places()
    assert error_code(ask(member_client, files=[file_id])) == "file_gone", "it is not whole"
    store.kill()
    sender.join()
    assert refusal(replies[0]) == AWAY
    assert stores.places() == {}
    store.start_again()
    stores.have_all_due()
    removed_objects.prune()
    assert (store.held(), stores.to_go()) == ({}, set())


def test_what_a_process_was_killed_over_goes_after_a_day(
    member: User, member_client: PageClient, store: ObjectServer
) -> None:
    """Its row is there, with its key, and not whole; so may its object be."""
    file_id = kept(member_client)
    with transaction() as session:
        long_ago = utc_now() - timedelta(days=2)
        session.execute(update(KeptFile).values(digest=KeptFile.id, created_at=long_ago))
    upkeep_service.tick()
    assert file_id not in stores.places()
    stores.have_all_due()
    upkeep_service.tick()
    assert store.held() == {}


def test_an_object_that_is_gone_though_its_file_is_not_is_a_fault_and_not_an_empty_file(
    member_client: PageClient, held: Held
) -> None:
    file_id = kept(member_client)
    key = stores.places()[file_id]
    assert key
    object_store.store().remove(key)
    assert refusal(got(member_client, file_id)) == AWAY


def test_pictures_are_shown_to_a_model_from_there_and_else_nobody_is_asked(
    member_client: PageClient, upstream: ScriptedUpstream, store: ObjectServer
) -> None:
    member_client.get("/api/models")
    with transaction() as session:
        session.execute(update(ChatModel).values(sees=True))
    picture = kept(member_client, files.picture(), "cat.png")
    paper = kept(member_client, b"words of a paper")
    assert ask(member_client, files=[picture]).status_code == 200
    asked = attached.asked(upstream)
    assert asked[0]["content"][1]["image_url"]["url"].startswith("data:image/")
    store.kill()
    count = len(upstream.journal.chats)
    reply = ask(member_client, files=[picture])
    assert "files_unavailable" in reply.text
    assert len(upstream.journal.chats) == count
    with reading() as session:
        assert set(session.scalars(select(Attempt.state))) == {"settled", "released"}
    assert ask(member_client, files=[paper]).status_code == 200, "its words are in the database"
    assert ask(member_client).status_code == 200
    assert len(upstream.journal.chats) == count + 2
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(MessageFile)) == 3


def test_everything_of_ones_own_has_it(member_client: PageClient, held: Held) -> None:
    file_id = kept(member_client)
    with zipfile.ZipFile(io.BytesIO(member_client.get("/api/me/export").data)) as archive:
        (name,) = [name for name in archive.namelist() if name.startswith(f"files/{file_id}")]
        assert archive.read(name) == LONG


def test_no_connection_is_held_while_it_is_read(member_client: PageClient, held: Held) -> None:
    file_id = kept(member_client)
    key = stores.places()[file_id]
    for _ in contents.parts(file_id, key, len(LONG)):
        assert engine().pool.checkedout() == 0  # type: ignore[attr-defined]
