"""The SHA-256 of what is in files, in the JSON of conversations: also of those that came before it was noted."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import event, select, update

from flask_app.database import engine, reading, transaction, utc_now
from flask_app.models import FilePiece, KeptFile, Message, MessageFile, User
from flask_app.services.files import content_digests, file_expiry
from tests.support import files, storage, talks
from tests.support.clients import PageClient

ALL = "/api/conversations/export?format="
OF_PIECES = "FROM file_pieces"


def digests(client: PageClient) -> set[str | None]:
    response: Any = client.get(f"{ALL}json").json
    said = [said for talk in response["conversations"] for said in talk["messages"]]
    return {told["digest"] for each in said for told in each["files"]}


def noted(file_id: str) -> str | None:
    with reading() as session:
        return session.get_one(KeptFile, file_id).content_digest


def old_file(person: User) -> str:
    """One that came before digests were noted, and that two questions of one conversation have, and one of another."""
    file_id = files.file_of(person, sent=True)
    made = talks.branched(person)
    files.attach(file_id, made.id)
    with transaction() as session:
        another = select(Message.id).where(Message.conversation_id == made.id, Message.parent_id.is_not(None))
        message_id = session.scalars(another.where(Message.role == "user").limit(1)).one()
        session.add(MessageFile(message_id=message_id, file_id=file_id, position=0, name="a.txt"))
    files.attach(file_id, talks.branched(person).id)
    return file_id


def test_it_is_that_of_what_is_kept(member: User, member_client: PageClient) -> None:
    kept = files.kept(member_client, files.photograph(), "photo.jpg")
    files.attach(kept["id"], talks.branched(member).id)
    content = member_client.get(f"/api/files/{kept['id']}").data
    assert digests(member_client) == {hashlib.sha256(content).hexdigest()}
    with transaction() as session:
        session.execute(update(KeptFile).values(content_digest=None))
    assert digests(member_client) == {hashlib.sha256(content).hexdigest()}, "that of its pieces"


def test_what_was_not_noted_is_read_once(member: User, member_client: PageClient) -> None:
    file_id = old_file(member)
    with storage.counted_statements() as statements:
        assert digests(member_client) == {hashlib.sha256(b"a").hexdigest()}
    assert len([each for each in statements if OF_PIECES in each]) == 1, "its piece"
    assert noted(file_id) == hashlib.sha256(b"a").hexdigest()
    with storage.counted_statements() as statements:
        assert digests(member_client) == {hashlib.sha256(b"a").hexdigest()}
    assert not [each for each in statements if OF_PIECES in each]


@pytest.mark.parametrize("kind", ["md", "html"])
def test_what_tells_no_digests_reads_nothing_for_them(member: User, member_client: PageClient, kind: str) -> None:
    file_id = old_file(member)
    with storage.counted_statements() as statements:
        assert member_client.get(f"{ALL}{kind}").data
    assert statements
    assert not [each for each in statements if OF_PIECES in each]
    assert noted(file_id) is None


def test_what_expires_while_it_is_read_has_none(member: User, member_client: PageClient) -> None:
    """Before its first piece, or between two."""
    file_id = old_file(member)
    with transaction() as session:
        session.execute(update(KeptFile).values(bytes=2))
        session.add(FilePiece(file_id=file_id, number=1, content=b"b"))
    goes = [file_id]

    def expire(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if OF_PIECES in statement and goes:
            assert file_expiry.expire(goes.pop(), utc_now())

    event.listen(engine(), "after_cursor_execute", expire)
    assert digests(member_client) == {None}
    event.remove(engine(), "after_cursor_execute", expire)
    assert not goes
    assert noted(file_id) is None
    assert content_digests.made(file_id, 2) is None
