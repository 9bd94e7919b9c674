"""Which parts of several documents go with a question, and how much of each."""

from flask_app.database import transaction, utc_now
from flask_app.domain import telling
from flask_app.domain.events import estimate_tokens
from flask_app.domain.telling import PAGES, SEARCH, Way
from flask_app.models import KeptFile, User
from flask_app.services.embedding.asking import Asker
from flask_app.services.files import document_parts
from flask_app.services.files.document_parts import Wanted
from tests.conftest import MakeUser

LONG = "\n".join(f"[page {number}]\n" + f"The harbour of town {number} is closed. " * 20 for number in range(1, 301))


def _kept(user: User, file_id: str, text: str = LONG, pages: int | None = 300) -> str:
    about = {"kind": "document", "content_type": "application/pdf", "name": f"{file_id}.pdf", "bytes": 1, "tokens": 1}
    with transaction() as session:
        row = {"id": file_id, "user_id": user.id, "digest": file_id, "stored_bytes": 1, "created_at": utc_now()}
        session.add(KeptFile(**row, **about, pages=pages, text=text))
    return file_id


def _asker(user: User) -> Asker:
    return Asker(user_id=user.id, request_id="r", address="192.0.2.1")


def _tokens(way: Way) -> int:
    return estimate_tokens(telling.document("a.pdf", 300, LONG, way))


def test_documents_that_are_searched_share_the_room(member: User) -> None:
    files = [_kept(member, name) for name in ("f1", "f2", "f3")]
    wanted = [Wanted(files[0], SEARCH), Wanted(files[1], SEARCH), Wanted(files[2], PAGES, "2, 1")]
    ways = document_parts.ways(member, wanted, "which towns, 17 or 230?", 16_000, _asker(member))
    assert ways["f3"] == Way(PAGES, "1-2")
    assert ways["f1"] == ways["f2"]
    assert 500 < _tokens(ways["f1"]) < 2_200
    (alone,) = document_parts.ways(member, wanted[:1], "which towns, 17 or 230?", 16_000, _asker(member)).values()
    assert '<page number="17">' in telling.document("a.pdf", 300, LONG, alone)
    assert '<page number="230">' in telling.document("a.pdf", 300, LONG, alone)


def test_only_what_is_the_persons_own_is_looked_at(member: User, make_user: MakeUser) -> None:
    foreign = _kept(make_user("somebody-else"), "f1")
    assert (
        document_parts.ways(
            member, [Wanted(foreign, SEARCH), Wanted("nowhere", PAGES, "9")], "harbour", None, _asker(member)
        )
        == {}
    )
    assert document_parts.ways(member, [Wanted(foreign)], "harbour", None, _asker(member)) == {}
