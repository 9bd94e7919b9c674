"""What stores do at the edges: a folder that is away, an object that will not go, one that comes late or is damaged."""

import io
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, update

from flask_app.database import engine, transaction
from flask_app.errors import Unavailable
from flask_app.files_setting import FilesPlace
from flask_app.models import KeptFile, RemovedObject, User
from flask_app.services.files import (
    contents,
    file_retention,
    moving,
    object_store,
    removed_objects,
    store_check,
)
from tests.support import files, stores
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.object_server import ObjectServer

LONG = b"words of a text\n" * 80_000


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Path:
    place = tmp_path / "files"
    place.mkdir()
    stores.use(FilesPlace(folder=place))
    return place


def kept(client: PageClient, content: bytes = LONG) -> tuple[str, str]:
    """Its id, and its key in the store."""
    file_id = str(files.kept(client, content)["id"])
    return file_id, stores.places()[file_id] or ""


@pytest.mark.parametrize("is_mounted_on_a_folder", [True, False])
def test_a_folder_that_is_away_is_not_made_anew_and_nothing_counts_as_removed(
    member: User, member_client: PageClient, folder: Path, *, is_mounted_on_a_folder: bool
) -> None:
    _, key = kept(member_client)
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    if is_mounted_on_a_folder:
        folder.mkdir()
    else:
        with pytest.raises(Unavailable):
            contents.keep("-", key, io.BytesIO(b"x"), 1)
        assert not folder.exists()
    assert file_retention.forget(member.id)
    removed_objects.prune()
    assert stores.to_go() == {key}
    if is_mounted_on_a_folder:
        folder.rmdir()
    elsewhere.rename(folder)
    removed_objects.prune()
    assert (stores.to_go(), [file for file in folder.rglob("*") if file.is_file()]) == (set(), [])


def test_what_a_disk_has_of_its_own_is_nobodys_content(member_client: PageClient, folder: Path) -> None:
    kept(member_client)
    (folder / "lost+found").mkdir()
    (folder / "lost+found" / "#12").write_bytes(b"x")
    found = store_check.look()
    assert (found.in_store, found.missing, found.left) == (1, [], [])


def test_one_that_does_not_go_holds_no_other(member: User, member_client: PageClient, folder: Path) -> None:
    first, second = (kept(member_client, LONG + each)[1] for each in (b"1", b"2"))
    assert file_retention.forget(member.id)
    with transaction() as session:
        session.execute(update(RemovedObject).where(RemovedObject.object_key == first).values(due_at=member.created_at))
    stuck = folder / first[:2] / first
    stuck.unlink()
    (stuck / "held").mkdir(parents=True)
    for _ in range(2):
        removed_objects.prune()
    assert stores.to_go() == {first}
    assert not (folder / second[:2] / second).exists()


def test_what_comes_after_its_account_went_goes_as_well(member: User, member_client: PageClient, folder: Path) -> None:
    replies: list[Any] = []
    sender = threading.Thread(target=lambda: replies.append(files.sent(member_client, LONG)))
    turn = object_store.turn_to_put
    with turn(), turn():
        sender.start()
        wait_until(lambda: bool(stores.places()))
        (key,) = stores.places().values()
        (folder / "00").mkdir()  # of others
        assert file_retention.forget(member.id)
        removed_objects.prune()
    sender.join()
    assert (replies[0].status_code, stores.to_go()) == (404, {key})
    stores.have_all_due()
    removed_objects.prune()
    assert (stores.to_go(), [file for file in folder.rglob("*") if file.is_file()]) == (set(), [])


def test_one_that_is_cut_off_in_the_store_is_damaged_and_the_others_move(
    member_client: PageClient, objects: ObjectServer
) -> None:
    stores.use(objects.place())
    found = dict(kept(member_client, LONG + b"%d" % number) for number in range(2))
    bad, key = min(found.items())
    object_store.store().put(key, LONG[: contents.PART_BYTES])
    stores.use(objects.place(takes_new=False))
    moved = moving.move(stores.NOBODY)
    assert (moved.count, moved.damaged) == (1, [bad])


def test_what_is_set_for_amazons_own_tools_changes_nothing(
    app: Flask, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore  # an extra, as is what our own module loads

    from flask_app.services.files.s3_store import S3Store

    for name in ("SKIP_SIGNATURE", "VIRTUAL_HOSTED_STYLE_REQUEST", "REQUEST_PAYER", "S3_EXPRESS"):
        monkeypatch.setenv(f"AWS_{name}", "true")
    for name in ("SESSION_TOKEN", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "ENDPOINT_URL", "REGION"):
        monkeypatch.setenv(f"AWS_{name}", "http://127.0.0.1:9")
    place = objects.place()
    store = S3Store(place)
    store.put("known", b"words")
    assert (store.part("known", 0, 5), [*store.listed()]) == (b"words", [["known"]])
    assert "Security-Token" not in obstore.sign(store._reading, "GET", "known", expires_in=timedelta(minutes=1))
    store.remove("known")
    monkeypatch.undo()
    assert objects.held() == {}


def test_one_that_took_a_day_to_move_is_not_relied_on(
    member_client: PageClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its object may be removed in this moment."""
    stores.use(None)
    file_id = str(files.kept(member_client, LONG)["id"])
    stores.use(FilesPlace(folder=folder))
    monkeypatch.setattr(moving, "FORGOTTEN_SECONDS", 0)
    with pytest.raises(Unavailable):
        moving.move(stores.NOBODY)
    removed_objects.prune()
    assert (stores.places(), stores.to_go()) == ({file_id: None}, set())
    assert member_client.get(f"/api/files/{file_id}").data == LONG


def test_what_moves_into_the_store_while_it_is_looked_at_is_somebodys(
    app: Flask, member_client: PageClient, tmp_path: Path
) -> None:
    file_id = str(files.kept(member_client, LONG)["id"])
    stores.use(FilesPlace(folder=tmp_path))
    key = object_store.new_key()
    with transaction() as session:
        contents.note_removed(session.connection(), key, in_seconds=60)
    object_store.store().put(key, LONG)
    begun: list[str] = []

    def move(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Between the two tables that are asked who knows it."""
        if "object_key IN" in statement and not begun:
            begun.append(statement)
            with transaction() as session:
                session.execute(update(KeptFile).where(KeptFile.id == file_id).values(object_key=key))
                session.execute(RemovedObject.__table__.delete())  # type: ignore[attr-defined]

    event.listen(engine(), "after_cursor_execute", move)
    found = store_check.look()
    event.remove(engine(), "after_cursor_execute", move)
    assert (bool(begun), found.left) == (True, [])
