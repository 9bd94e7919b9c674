"""`flask files` and what `flask doctor`, backups and restores say of a store: moved once each, and looked at."""

import dataclasses
import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, event, select, update

from flask_app.database import engine, reading, transaction, utc_now, writer
from flask_app.errors import Unavailable
from flask_app.files_setting import FilesPlace
from flask_app.models import AuditEntry, FilePiece, KeptFile, User
from flask_app.services.files import (
    content_digests,
    contents,
    file_expiry,
    file_service,
    moving,
    object_store,
    removed_objects,
)
from flask_app.services.operations import doctor_files
from flask_app.services.operations.finding import BAD, GOOD, WARNING
from tests.support import files, stores, talks
from tests.support.clients import PageClient
from tests.support.object_server import ObjectServer
from tests.support.together import at_once

LONG = b"words of a text\n" * 80_000


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> FilesPlace:
    return FilesPlace(folder=tmp_path)


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["files", *arguments])


def kept(client: PageClient, count: int) -> list[str]:
    return [str(files.kept(client, LONG + b"%d" % number)["id"]) for number in range(count)]


def content(client: PageClient, file_id: str) -> bytes:
    return bytes(client.get(f"/api/files/{file_id}").data)


def acts() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry.action)))


def test_without_a_store_there_is_nowhere_to_move(app: Flask) -> None:
    result = run(app, "move")
    assert (result.exit_code, "FILES_URL is not set" in result.output) == (1, True)


def test_contents_go_there_and_back_again(app: Flask, member_client: PageClient, objects: ObjectServer) -> None:
    ids = kept(member_client, 2)
    stores.use(objects.place())
    assert run(app, "move").output == "2 contents (2,560,002 bytes) are in the store now.\n"
    assert (files.stored(FilePiece), len(objects.held())) == (0, 2)
    assert [content(member_client, each) for each in ids] == [LONG + b"0", LONG + b"1"]
    assert run(app, "move").output.startswith("0 contents")
    assert "0 contents are in the database, 2 in the store." in run(app, "check").output

    stores.use(objects.place(takes_new=False))
    assert run(app, "move").output == "2 contents (2,560,002 bytes) are in the database now.\n"
    assert files.stored(FilePiece) == 6
    assert [content(member_client, each) for each in ids] == [LONG + b"0", LONG + b"1"]
    removed_objects.prune()
    assert (objects.held(), stores.to_go()) == ({}, set())
    assert acts() == ["files.move", "files.move"]


def test_what_is_broken_off_is_gone_on_with(app: Flask, member_client: PageClient, objects: ObjectServer) -> None:
    ids = kept(member_client, 3)
    stores.use(objects.place())
    puts = []

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        """After an object was put, before its row says so."""
        if statement.startswith("UPDATE files SET") and "object_key=" in statement:
            puts.append(statement)
            if len(puts) == 2:
                raise KeyboardInterrupt

    event.listen(writer(), "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        moving.move(stores.NOBODY)
    event.remove(writer(), "before_cursor_execute", die)
    assert (len(objects.held()), len(stores.to_go())) == (2, 1)
    assert [content(member_client, each)[-1:] for each in ids] == [b"0", b"1", b"2"]
    assert run(app, "check").output == "2 contents are in the database, 1 in the store.\n", "it is known, and will go"
    assert run(app, "move").output.startswith("2 contents")
    stores.have_all_due()
    removed_objects.prune()
    assert {f"files/{key}" for key in stores.places().values()} == set(objects.held())
    assert [content(member_client, each)[-1:] for each in ids] == [b"0", b"1", b"2"]


def test_two_who_move_at_once_lose_nothing(member_client: PageClient, folder: FilesPlace) -> None:
    ids = kept(member_client, 3)
    for takes_new in (True, False):
        stores.use(dataclasses.replace(folder, takes_new=takes_new))
        moved: list[Any] = at_once(2, lambda _: moving.move(stores.NOBODY))
        assert sum(each.count for each in moved) == 3
        assert [each.damaged for each in moved] == [[], []]
        removed_objects.prune()
        assert [content(member_client, each)[-1:] for each in ids] == [b"0", b"1", b"2"]
        assert [key is not None for key in stores.places().values()] == [takes_new] * 3


@pytest.mark.parametrize("to_store", [True, False])
def test_who_is_reading_reads_on_where_it_is_then(
    member: User, member_client: PageClient, folder: FilesPlace, *, to_store: bool
) -> None:
    stores.use(None if to_store else folder)
    (file_id,) = kept(member_client, 1)
    parts = file_service.content(file_service.find(member, file_id))
    read = [next(parts)]
    stores.use(dataclasses.replace(folder, takes_new=to_store))
    assert moving.move(stores.NOBODY).count == 1
    removed_objects.prune()
    assert b"".join([*read, *parts]) == LONG + b"0"


@pytest.mark.parametrize("to_store", [True, False])
def test_what_goes_while_it_is_moved_does_not_come_back(
    member: User, member_client: PageClient, folder: FilesPlace, tmp_path: Path, *, to_store: bool
) -> None:
    stores.use(None if to_store else folder)
    (file_id,) = kept(member_client, 1)
    files.attach(file_id, talks.branched(member).id)
    stores.use(dataclasses.replace(folder, takes_new=to_store))
    goes = [file_id]

    def expire(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT files.id, files.object_key, files.bytes") and goes:
            assert file_expiry.expire(goes.pop(), utc_now())

    event.listen(engine(), "after_cursor_execute", expire)
    moved = moving.move(stores.NOBODY)
    event.remove(engine(), "after_cursor_execute", expire)
    assert (moved.count, moved.damaged, goes) == (0, [], [])
    stores.have_all_due()
    removed_objects.prune()
    assert files.stored(FilePiece) == 0
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    assert stores.places() == {file_id: None}


def test_what_is_not_what_it_was_stays_as_it_is_and_is_named(
    app: Flask, member_client: PageClient, folder: FilesPlace
) -> None:
    good, bad = kept(member_client, 2)
    with transaction() as session:
        session.execute(update(FilePiece).where(FilePiece.file_id == bad, FilePiece.number == 1).values(content=b"x"))
    stores.use(folder)
    result = run(app, "move")
    assert (result.exit_code, f"stay as they are: {bad}" in result.output) == (1, True)
    assert stores.places()[good]
    assert stores.places()[bad] is None


def test_a_store_that_is_away_is_told_and_nothing_moves(
    app: Flask, member_client: PageClient, objects: ObjectServer
) -> None:
    (file_id,) = kept(member_client, 1)
    stores.use(objects.place(secret_key="another"))
    result = run(app, "move")
    assert result.exit_code == 1
    assert "Where files are kept cannot be reached" in result.output
    assert content(member_client, file_id) == LONG + b"0"
    assert acts() == []


def test_what_is_missing_and_what_is_left_is_found(
    app: Flask, member_client: PageClient, objects: ObjectServer
) -> None:
    stores.use(objects.place())
    ids = kept(member_client, 2)
    key = stores.places()[ids[0]]
    assert key
    object_store.store().remove(key)
    object_store.store().put("of-a-time-after-the-backup", b"x")
    result = run(app, "check")
    assert (result.exit_code, f"1 files miss their content in the store: {ids[0]}\n" in result.output) == (1, True)
    assert "1 objects there are no file's" in result.output
    found = [(each.level, each.what) for each in doctor_files.store()]
    assert [level for level, _ in found] == [BAD, WARNING]
    assert "1 of 2 contents not in s3://attachments/files" in found[0][1]
    assert "1 object in s3://attachments/files, of no file" in found[1][1]
    assert "1 objects that were no file's are removed." in run(app, "check", "--remove-left").output
    assert {f"files/{stores.places()[ids[1]]}"} == set(objects.held())
    assert acts() == ["files.remove_left"]


def test_the_doctor_looks_whether_the_store_answers(
    app: Flask, member_client: PageClient, objects: ObjectServer
) -> None:
    assert list(doctor_files.store()) == []
    stores.use(objects.place())
    kept(member_client, 1)
    assert [(each.level, each.what) for each in doctor_files.store()] == [
        (GOOD, "files: 1 content in s3://attachments/files")
    ]
    for wrong in ({"secret_key": "another"}, {"bucket": "none"}, {"endpoint": "http://127.0.0.1:9"}):
        stores.use(objects.place(**wrong))
        (finding,) = doctor_files.store()
        assert (finding.level, "does not do what it is asked" in finding.what) == (BAD, True)
        assert "another" not in finding.what
    stores.use(None)
    (finding,) = doctor_files.store()
    assert (finding.level, "FILES_URL is not set" in finding.what) == (BAD, True)


def test_who_reads_takes_few_threads_and_waits_for_them_in_vain_only_so_long(
    app: Flask, objects: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others' places in the pool of threads are not theirs."""
    stores.use(objects.place())
    monkeypatch.setattr(object_store, "WAIT_SECONDS", 0.2)
    turn = object_store.turn_to_put
    with turn(), turn(), pytest.raises(Unavailable), turn():
        pass
    gate, inside = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        inside.release()
        gate.wait(10)

    def hold(number: int) -> object:
        if number < 4:
            object_store.ask(wait)
            return None
        for _ in range(4):
            assert inside.acquire(timeout=10)
        try:
            return contents.read_object("none", 1)
        finally:
            gate.set()

    outcomes = at_once(5, hold)
    assert getattr(outcomes[4], "code", None) == "files_unavailable"


def test_a_digest_that_was_not_noted_is_none_while_the_store_is_away(
    member_client: PageClient, folder: FilesPlace
) -> None:
    stores.use(folder)
    (file_id,) = kept(member_client, 1)
    stores.changed(content_digest=None)
    stores.use(None)
    assert content_digests.made(file_id, len(LONG) + 1) is None
    stores.use(dataclasses.replace(folder, takes_new=False))
    assert content_digests.made(file_id, len(LONG) + 1) == hashlib.sha256(LONG + b"0").hexdigest()


def test_what_moves_has_its_digest_noted(member_client: PageClient, folder: FilesPlace) -> None:
    kept(member_client, 1)
    stores.changed(content_digest=None)
    stores.use(folder)
    moving.move(stores.NOBODY)
    with reading() as session:
        assert session.scalars(select(KeptFile.content_digest)).all() == [hashlib.sha256(LONG + b"0").hexdigest()]


def test_rows_without_a_store_are_no_files_of_it(app: Flask, member_client: PageClient, folder: FilesPlace) -> None:
    stores.use(folder)
    (file_id,) = kept(member_client, 1)
    with transaction() as session:
        session.execute(delete(KeptFile).where(KeptFile.id == file_id))
    assert "1 objects there are no file's" in run(app, "check").output
