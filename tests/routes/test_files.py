"""Files that are brought in, given back and deleted: their person's alone, whatever is in them."""

import io
import shutil
from collections import namedtuple
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.domain import files as bounds
from flask_app.models import FilePiece, Group, KeptFile, User
from flask_app.services.files import file_service, places
from flask_app.web import bodies
from flask_app.web import files as files_web
from tests.conftest import MakeUser, SignIn
from tests.support import files
from tests.support.clients import PageClient
from tests.support.entrance import error_code


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, error_code(response)


@pytest.mark.security("file-content-inert")
def test_a_text_is_kept_as_it_came(member_client: PageClient) -> None:
    content = "Words: 你好\r\nof a text".encode()
    told = files.kept(member_client, content, "notes.txt")
    assert told.items() >= {"name": "notes.txt", "kind": "text", "content_type": "text/plain", "pages": None}.items()
    assert told["bytes"] == len(content)
    assert told["tokens"] > 0
    given = member_client.get(f"/api/files/{told['id']}")
    assert (given.status_code, given.data) == (200, content)
    assert given.headers["Content-Disposition"].startswith('attachment; filename="notes.txt"')
    assert given.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert given.headers["X-Content-Type-Options"] == "nosniff"


def test_a_document_says_when_something_of_it_is_not_read(member_client: PageClient) -> None:
    """Also where the same comes once more."""
    for _ in range(2):
        assert files.kept(member_client, files.pdf("words", ""), "scan.pdf")["omits"] is True
    assert files.kept(member_client, files.pdf("words"), "whole.pdf")["omits"] is False
    assert files.kept(member_client, b"[picture]", "notes.txt")["omits"] is False


@pytest.mark.security("file-content-inert", "foreign-is-absent")
def test_a_browser_asks_each_time_whether_it_may_show_it(
    client: PageClient, member_client: PageClient, other_client: PageClient
) -> None:
    path = f"/api/files/{files.kept(member_client, b'words')['id']}"
    given = member_client.get(path)
    assert given.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": given.headers["ETag"]}
    again = member_client.get(path, headers=known)
    assert (again.status_code, again.data, again.headers["Cache-Control"]) == (304, b"", "private, no-cache")
    assert member_client.get(path, headers={"If-None-Match": '"another"'}).data == b"words"
    assert client.get(path, headers=known).status_code == 401
    assert other_client.get(path, headers=known).status_code == 404
    member_client.delete(path)
    assert member_client.get(path, headers=known).status_code == 404


@pytest.mark.security("file-metadata-gone")
def test_a_photograph_is_made_anew(member_client: PageClient) -> None:
    """Upright, as small as it may be, and without its camera, its place and its words."""
    content = files.photograph()
    assert b"Camera of somebody" in content
    told = files.kept(member_client, content, "IMG_1.jpg")
    assert (told["kind"], told["content_type"]) == ("picture", "image/jpeg")
    assert (told["width"], told["height"]) == (1536, 2048)
    given = member_client.get(f"/api/files/{told['id']}")
    assert given.headers["Content-Disposition"].startswith("inline")
    with Image.open(io.BytesIO(given.data)) as shown:
        assert shown.size == (1536, 2048)
        assert not shown.getexif()
        assert "icc_profile" not in shown.info
    for word in (b"Camera of somebody", b"my own words", b"Exif", b"GPS"):
        assert word not in given.data


@pytest.mark.security("file-names-encoded")
@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("..\\..\\etc/passwd.txt", "passwd.txt"),
        ('a"\r\nSet-Cookie: x=1.txt', "a_ Set-Cookie_ x=1.txt"),
        ("报告.pdf", "报告.pdf"),
        ("", "file"),
        ("con.txt", "_con.txt"),
        ("x" * 500 + ".html", "x" * 60 + ".html"),
    ],
)
def test_names_are_harmless(member_client: PageClient, sent: str, name: str) -> None:
    told = files.kept(member_client, b"words", sent)
    assert told["name"] == name
    header = member_client.get(f"/api/files/{told['id']}").headers["Content-Disposition"]
    assert "\n" not in header
    assert header.isascii()


@pytest.mark.security("file-content-inert", "foreign-is-absent")
def test_nobody_else_finds_it(client: PageClient, member_client: PageClient, other_client: PageClient) -> None:
    told = files.kept(member_client, b"words")
    path = f"/api/files/{told['id']}"
    assert refusal(files.sent(client, b"words")) == (401, "sign_in_required")
    assert client.get(path).status_code == 401
    absent = other_client.get("/api/files/nothing")
    for method in ("GET", "DELETE"):
        foreign = other_client.open(path, method=method)
        assert (foreign.status_code, error_code(foreign)) == (404, error_code(absent))
    assert member_client.get(path).status_code == 200


@pytest.mark.security("deleted-is-gone")
def test_it_is_deleted(member_client: PageClient) -> None:
    path = f"/api/files/{files.kept(member_client, b'words')['id']}"
    assert member_client.delete(path).status_code == 204
    assert member_client.get(path).status_code == 404
    assert (files.stored(), files.stored(FilePiece)) == (0, 0)


def test_where_the_database_sees_the_message_first_it_is_in_use(
    member_client: PageClient, chosen_database: str
) -> None:
    """A server that looked before the question was written holds the row by its key alone."""
    if chosen_database != "sqlite":
        pytest.skip("the trigger is SQLite's")
    path = f"/api/files/{files.kept(member_client, b'words')['id']}"
    refuses = "BEFORE DELETE ON files BEGIN SELECT RAISE(ABORT, 'FOREIGN KEY constraint failed'); END"
    with transaction() as session:
        session.connection().exec_driver_sql(f"CREATE TRIGGER sent_meanwhile {refuses}")
    try:
        assert refusal(member_client.delete(path)) == (409, "file_in_use")
    finally:
        with transaction() as session:
            session.connection().exec_driver_sql("DROP TRIGGER sent_meanwhile")
    assert member_client.delete(path).status_code == 204


def streamed(client: PageClient, length: int) -> Any:
    """The reply to a body that does not say how long it is."""
    return client.post(
        "/api/files",
        input_stream=io.BytesIO(b"\0" * length),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
        content_type="text/plain",
    )


@pytest.mark.security("bodies-bounded")
def test_what_is_larger_than_allowed(member_client: PageClient) -> None:
    response = files.sent(member_client, b"a" * (bounds.MOST_BYTES + 1))
    assert refusal(response) == (413, "file_too_large")
    assert response.get_json()["error"]["params"] == {"limit": 20}
    assert refusal(streamed(member_client, bounds.MOST_BYTES + 1)) == (413, "file_too_large")
    assert refusal(streamed(member_client, bounds.MOST_BYTES)) == (422, "file_kind_unknown")
    assert files.stored() == 0


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_forms_are_no_files(member_client: PageClient, kind: str) -> None:
    assert refusal(files.sent(member_client, b"{}", content_type=kind)) == (400, "bad_request")


@pytest.mark.security("changes-from-our-pages")
def test_another_sites_page_sends_none(member_client: PageClient) -> None:
    member_client.csrf_token = ""
    assert refusal(files.sent(member_client, b"words")) == (403, "csrf_failed")


def quota(megabytes: int) -> None:
    with transaction() as session:
        session.execute(update(Group).values(file_quota_mb=megabytes))


def test_a_group_may_attach_none(member_client: PageClient) -> None:
    told = files.kept(member_client, b"words")
    quota(0)
    assert refusal(files.sent(member_client, b"other words")) == (403, "files_off")
    assert member_client.get(f"/api/files/{told['id']}").status_code == 200


def test_there_is_a_quota(member_client: PageClient, other_client: PageClient) -> None:
    """A text counts twice: as the file, and as its words."""
    quota(1)
    files.kept(member_client, b"words of one text\n" * 28_000)
    response = files.sent(member_client, b"words of two text\n" * 28_000)
    assert refusal(response) == (422, "file_quota_full")
    assert response.get_json()["error"]["params"] == {"limit": 1}
    assert files.stored(FilePiece) == 1
    assert files.sent(other_client, b"words of two text\n" * 28_000).status_code == 201


def test_what_no_message_has_gives_way_after_an_hour(member_client: PageClient) -> None:
    quota(1)
    first = files.kept(member_client, b"words of one text\n" * 28_000)
    ago = update(KeptFile).values(created_at=utc_now() - file_service.LEFT_FOR)
    for is_taken in (False, True):
        sent = files.sent(member_client, b"words of two text\n" * 28_000)
        assert sent.status_code == (201 if is_taken else 422)
        with transaction() as session:
            session.execute(ago)
    assert member_client.get(f"/api/files/{first['id']}").status_code == 404


def test_the_page_knows_what_may_be_attached(member_client: PageClient) -> None:
    assert '"files":{"most_mb":20,"most":10,"search_tokens":8000}' in member_client.get("/").text.replace("&#34;", '"')
    quota(0)
    assert '"files":null' in member_client.get("/").text.replace("&#34;", '"')


def test_who_is_in_another_group_has_their_own_quota(make_user: MakeUser, sign_in: SignIn) -> None:
    with transaction() as session:
        session.add(Group(id="g" * 26, name="Guests", name_key="guests", file_quota_mb=0))
    guest = sign_in(make_user("guest", group_id="g" * 26))
    assert refusal(files.sent(guest, b"words")) == (403, "files_off")


@pytest.mark.security("bodies-bounded")
@pytest.mark.parametrize(("megabytes", "is_taken"), [(2.5, True), (0.9, False)])
def test_a_body_that_comes_slowly_is_given_up(
    member_client: PageClient, monkeypatch: pytest.MonkeyPatch, *, megabytes: float, is_taken: bool
) -> None:
    """A megabyte, or the rest, comes in each minute: here a stretch is over when its time has passed without one."""
    stretches = list[float]()

    @contextmanager
    def timed(seconds: float, error: type[Exception]) -> Iterator[None]:
        stretches.append(seconds)
        yield
        if seconds == files_web.STRETCH_SECONDS and not is_taken:
            raise error

    monkeypatch.setattr(bodies, "_limited", timed)
    response = files.sent(member_client, b"a word\n" * int(megabytes * 150_000))
    assert refusal(response) == (408, "too_slow") if not is_taken else response.status_code in {201, 422}
    assert stretches[:2] == [files_web.SECONDS, 60]
    assert len(stretches) == (2 if not is_taken else 5)


@pytest.mark.security("bodies-bounded")
@pytest.mark.parametrize(("free", "expected"), [(511, (503, "disk_full")), (513, (201, None))])
def test_a_disk_that_is_nearly_full_takes_none(
    member_client: PageClient, monkeypatch: pytest.MonkeyPatch, free: int, expected: tuple[int, str | None]
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, free << 20))
    response = files.sent(member_client, b"words")
    assert (response.status_code, error_code(response) if response.status_code != 201 else None) == expected


def test_who_sends_too_many_at_once_is_told_to_come_again(
    member_client: PageClient, other_client: PageClient, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "WAIT_SECONDS", 0.05)
    with ExitStack() as coming:
        for _ in range(2):
            coming.enter_context(files_web.coming.one_of(member.id))
        busy = files.sent(member_client, b"words")
        assert refusal(busy) == (503, "files_busy")
        assert busy.headers["Retry-After"] == "5"
        assert files.sent(other_client, b"words").status_code == 201
    assert files.sent(member_client, b"words").status_code == 201
