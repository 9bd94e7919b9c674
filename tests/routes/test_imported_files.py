"""Files of conversations that come in: with what is in them where that was sent before, else by their names alone."""

from typing import Any

import pytest
from sqlalchemy import func, select

from flask_app.database import reading, utc_now
from flask_app.models import KeptFile, MessageFile, User
from flask_app.services.files import file_expiry
from flask_app.services.portability import import_quota, message_tree
from tests.conftest import MakeUser, SignIn
from tests.support import files
from tests.support.attached import ask
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.exported import without_ids
from tests.support.scripted_upstream import ScriptedUpstream

EXPORT, IMPORT = "/api/conversations/export?format=json", "/api/conversations/import"
DIGEST = "5" * 64


@pytest.fixture
def another(make_user: MakeUser, sign_in: SignIn) -> PageClient:
    return sign_in(make_user("another"))


def exported(client: PageClient) -> Any:
    return client.get(EXPORT).json


def sent(client: PageClient, file: Any, **more: Any) -> list[str]:
    body = {name: file.get(name, []) for name in ("folders", "conversations")}
    response: Any = client.post(IMPORT, json=body | more, buffered=True)
    assert response.status_code == 200, response.text
    return [each["outcome"] for each in response.json["outcomes"]]


def talk(*named: dict[str, Any], text: str = "hello", **fields: Any) -> dict[str, Any]:
    """A conversation of a question with these files."""
    moment = "2026-01-01T00:00:00Z"
    said = {"id": "1", "parent_id": None, "role": "user", "text": text, "created_at": moment, "files": list(named)}
    made = {"id": "their-1", "title": "", "created_at": moment, "updated_at": moment, "messages": [said | fields]}
    return {"conversations": [made]}


def named(**fields: Any) -> dict[str, Any]:
    return {"id": "f", "name": "a.pdf", "kind": "document", "content_type": "application/pdf", "bytes": 7} | fields


def names_in(file: Any) -> dict[str, Any]:
    said = [said for each in without_ids(file)["conversations"] for said in each["messages"]]
    return {told["name"]: told for each in said for told in each["files"]}


def files_of(client: PageClient) -> list[Any]:
    """Of the first question that its person has."""
    listed: Any = client.get("/api/conversations").json
    thread: Any = client.get(f"/api/conversations/{listed['conversations'][0]['id']}").json
    return list(thread["messages"][0]["files"])


def test_what_was_taken_along_comes_back_the_same(
    member_client: PageClient, another: PageClient, upstream: ScriptedUpstream
) -> None:
    kept = [
        files.kept(member_client, files.pdf("Hello"), "report.pdf"),
        files.kept(member_client, files.moving(), "film.gif"),
        files.kept(member_client, files.picture(), "board.png"),
        files.kept(member_client, "唐诗".encode("gbk"), "诗.txt"),
    ]
    first = ask(member_client, files=[each["id"] for each in kept[:3]]).json
    assert ask(member_client, "", conversation_id=first["conversation_id"], files=[kept[3]["id"]]).status_code == 200
    file = exported(member_client)
    contents = {}
    for each in kept:
        content = member_client.get(f"/api/files/{each['id']}").data
        contents[each["id"]] = files.kept(another, content, each["name"])["id"]
    assert sent(another, file, contents=contents) == ["imported"]
    assert without_ids(exported(another)) == without_ids(file)
    for each in kept:
        content = another.get(f"/api/files/{contents[each['id']]}").data
        assert content == member_client.get(f"/api/files/{each['id']}").data


def test_what_is_not_sent_is_named(
    member_client: PageClient, another: PageClient, upstream: ScriptedUpstream, read: dict[str, Any]
) -> None:
    ask(member_client, files=[read["id"]])
    expired = files.kept(member_client, b"words", "old.txt")
    ask(member_client, files=[expired["id"]])
    assert file_expiry.expire(expired["id"], utc_now())
    file = exported(member_client)
    assert sent(another, file) == ["imported"] * 2
    told, was = names_in(exported(another)), names_in(file)
    assert (told["re_port.pdf"].pop("absent"), was["re_port.pdf"].pop("absent")) == ("left_out", None)
    assert told == was, "the digest and the expiry too"
    (one,) = [each for each in files_of(another) if each["name"] == "old.txt"]
    assert another.get(f"/api/files/{one['id']}").status_code == 404


def test_a_second_import_changes_nothing(another: PageClient) -> None:
    file = talk(named(), named(id="g", name="b.pdf"))
    assert (sent(another, file), sent(another, file)) == (["imported"], ["known"])
    assert (files.stored(KeptFile), files.stored(MessageFile)) == (2, 2)


def test_one_file_of_several_questions_is_one(another: PageClient) -> None:
    file = talk(named(), named())
    file["conversations"][0]["messages"].append(file["conversations"][0]["messages"][0] | {"id": "2"})
    assert sent(another, file) == ["imported"]
    assert (files.stored(KeptFile), files.stored(MessageFile)) == (1, 2)


@pytest.mark.security("foreign-is-absent")
def test_nobody_lays_a_hand_on_what_is_anothers(
    member_client: PageClient, another: PageClient, read: dict[str, Any]
) -> None:
    for told in (read["id"], "0" * 26, "é"):
        file = talk(named(id=read["id"]))
        file["conversations"][0]["id"] = f"their-{told}"
        assert sent(another, file, contents={read["id"]: told}) == ["imported"]
    with reading() as session:
        taken = session.scalars(select(MessageFile.file_id)).all()
        assert read["id"] not in taken
        assert session.get_one(KeptFile, read["id"]).sent_at is None


def test_what_a_file_says_of_files_is_made_harmless(another: PageClient) -> None:
    told = [
        named(name="../../etc/passwd", kind="program", content_type="text/\nhtml", bytes=-5, digest="no", absent="x"),
        named(id="g", name="x" * 5000, bytes=2**40, digest=DIGEST, absent="expired", content_type=""),
        named(id="h", name=""),
    ]
    assert sent(another, talk(*told)) == ["imported"]
    first, second, third = files_of(another)
    assert (first["name"], first["kind"], first["bytes"]) == ("passwd", "document", 0)
    assert (first["content_type"], first["absent"]) == ("text/html", "left_out")
    assert len(second["name"]) < 128
    assert (second["bytes"], second["absent"]) == (2**31 - 1, "expired")
    assert third["name"] == "file"
    with reading() as session:
        digests = set(session.scalars(select(KeptFile.content_digest)))
    assert digests == {None, DIGEST}


def test_a_question_has_ten_and_an_answer_none(another: PageClient) -> None:
    many = [named(id=str(number)) for number in range(12)]
    file = talk(*many)
    answer = {"id": "2", "parent_id": "1", "role": "assistant", "text": "hi", "created_at": "2026-01-01T00:00:01Z"}
    file["conversations"][0]["messages"].append(answer | {"files": many})
    assert sent(another, file) == ["imported"]
    assert files.stored(MessageFile) == 10


def test_a_conversation_of_files_alone_is_called_by_them(another: PageClient) -> None:
    assert sent(another, talk(named(), named(id="g", name="b.pdf"), text="")) == ["imported"]
    listed: Any = another.get("/api/conversations").json
    assert listed["conversations"][0]["title"] == "a.pdf b.pdf"


@pytest.mark.parametrize(
    "contents", [[], {"f": 5}, {"f": ""}, {"f": "x" * 65}, {str(number): "x" for number in range(2001)}]
)
def test_what_is_no_list_of_contents_is_refused(another: PageClient, contents: Any) -> None:
    refused = another.post(IMPORT, json=talk(named()) | {"contents": contents})
    assert (refused.status_code, error_code(refused)) == (422, "invalid_field")


def test_files_count_among_messages(another: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_quota, "MOST_MESSAGES", 2)
    assert sent(another, talk(named())) == ["imported"]
    second, third = (talk(named())["conversations"][0] | {"id": number} for number in "23")
    refused = another.post(IMPORT, json={"conversations": [second]})
    assert (refused.status_code, error_code(refused)) == (429, "import_too_much_today")
    monkeypatch.setattr(message_tree, "MOST_MESSAGES", 1)
    outcome: Any = another.post(IMPORT, json={"conversations": [third]}).json
    assert outcome["outcomes"][0]["code"] == "import_too_many_messages"


def test_they_go_with_their_person(member: User, member_client: PageClient) -> None:
    sent(member_client, talk(named()))
    with reading() as session:
        own = select(func.count()).select_from(KeptFile).where(KeptFile.user_id == member.id)
        assert session.scalar(own) == 1
        assert session.scalars(select(KeptFile.stored_bytes)).one() == 0, "nothing of their room is taken"
