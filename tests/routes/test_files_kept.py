"""What is kept of a file: by its content it is of a kind, and the same once more is the same."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import transaction
from flask_app.models import FilePiece, KeptFile, User
from tests.conftest import SignIn
from tests.support import files
from tests.support.clients import PageClient
from tests.support.together import at_once


def test_a_long_one_is_kept_in_pieces(member_client: PageClient) -> None:
    content = b"words of a text\n" * 80_000
    told = files.kept(member_client, content)
    assert files.stored(FilePiece) == 3
    assert member_client.get(f"/api/files/{told['id']}").data == content


@pytest.mark.parametrize(
    ("made", "kind", "pages"),
    [
        (files.picture("PNG"), "image/png", None),
        (files.picture("WEBP"), "image/jpeg", None),
        (files.picture("PNG", mode="RGBA"), "image/png", None),
        (files.moving(), "image/png", None),
        (files.pdf("Hello", "World"), "application/pdf", 2),
        (
            files.slides("First", "Second"),
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            2,
        ),
        (files.sheets([["Ann", "1"]]), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 1),
        (files.document("Hello"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", None),
    ],
)
def test_its_kind_is_told_by_its_content(member_client: PageClient, made: bytes, kind: str, pages: int | None) -> None:
    told = files.kept(member_client, made, "photo.exe")
    assert (told["content_type"], told["pages"]) == (kind, pages)


def test_the_same_once_more_is_the_same(member_client: PageClient, other_client: PageClient) -> None:
    first = files.kept(member_client, b"the same words", "one.txt")
    again = files.kept(member_client, b"the same words", "two.txt")
    assert (again["id"], again["name"]) == (first["id"], "two.txt")
    assert files.kept(other_client, b"the same words")["id"] != first["id"]


def test_nothing_is_left_on_disk(member_client: PageClient, base_config: Any) -> None:
    before = sorted(Path(base_config.instance_dir).iterdir())
    files.kept(member_client, files.picture())
    assert sorted(Path(base_config.instance_dir).iterdir()) == before


def test_what_an_older_version_read_is_read_anew(member_client: PageClient) -> None:
    """What was kept by the digest of its content alone; messages go on with what they were sent with."""
    first = files.kept(member_client, b"words")
    with transaction() as session:
        session.execute(update(KeptFile).values(digest=hashlib.sha256(b"words").hexdigest()))
    again = files.kept(member_client, b"words")
    assert again["id"] != first["id"]
    assert files.kept(member_client, b"words")["id"] == again["id"]


def test_an_encoding_in_doubt_is_its_readers(member: User, sign_in: SignIn) -> None:
    content = "完了".encode("euc_jp")
    for language, words in (("zh", "完了".encode("euc_jp").decode("gb18030")), ("ja", "完了")):
        client = sign_in(member)
        sent = files.sent(client, content, headers={"Accept-Language": language})
        with transaction() as session:
            file = session.scalars(select(KeptFile)).one()
            assert (file.id, file.text) == (sent.get_json()["id"], words)
            session.delete(file)


def test_the_same_that_comes_twice_at_once_is_one(member: User, sign_in: SignIn) -> None:
    clients = [sign_in(member) for _ in range(3)]
    told = at_once(3, lambda number: files.kept(clients[number], b"the same words", "one.txt"))
    assert len({each["id"] for each in told if isinstance(each, dict)}) == 1
    assert (len(told), files.stored(), files.stored(FilePiece)) == (3, 1, 1)
