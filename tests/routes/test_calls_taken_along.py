"""Calls of tools go along with their answers: in files of every kind, and back again; by a link their names alone."""

import html
import io
import json
import zipfile
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.domain import tools
from flask_app.domain.tools import DONE, FAILED, REFUSED, RUNNING, STOPPED, Call
from flask_app.models import ImportedDaily, Message, User
from flask_app.services.portability import brought_calls
from flask_app.services.tools import tool_calls
from flask_app.services.tools.tool_calls import Kept
from tests.conftest import MakeUser, SignIn
from tests.routes.test_searches_taken_along import exported, of, sent
from tests.support import sharing, talks
from tests.support.clients import PageClient
from tests.support.exported import without_ids

ARGUMENTS, RESULT = '{"city": "Oslo <b>"}', "Cold.\n```\n</details> & <script>alert(1)</script>"
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def another(make_user: MakeUser, sign_in: SignIn) -> PageClient:
    return sign_in(make_user("another"))


def call(**given: Any) -> Call:
    told: dict[str, Any] = {
        "id": new_id(),
        "round": 1,
        "server": "Sky",
        "tool": "sky__weather",
        "title": "Weather *now*",
    }
    told |= {"title": "Weather *now*", "arguments": ARGUMENTS, "status": DONE, "result": RESULT, "duration_ms": 1234}
    return Call(**told | given)


CALLS: list[dict[str, Any]] = [
    {},
    {
        "server": "",
        "tool": "web_search",
        "title": "Search",
        "status": FAILED,
        "error_code": "tool_failed",
        "result": "",
    },
    {"round": 2, "status": REFUSED, "duration_ms": None},
    {"round": 2, "status": STOPPED, "error_code": "interrupted"},
]


def called(person: User, *given: dict[str, Any]) -> str:
    """The id of a conversation whose newest answer made such calls."""
    made = talks.branched(person)
    with reading() as session:
        (leaf,) = session.scalars(select(Message.id).where(Message.text == talks.HOSTILE))
    kept = [Kept(call=call(**each), call_id="c", position=at) for at, each in enumerate(given)]
    with transaction() as session:
        tool_calls.write(session.connection(), kept, run_id=new_id(), message_id=leaf)
    return made.id


def calls_in(file: Any) -> list[dict[str, Any]]:
    return [each for said in file["conversations"][0]["messages"] for each in said["calls"]]


def test_json_has_them_whole_and_they_come_back_the_same(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    called(member, *CALLS)
    file = exported(member_client)
    assert [each["status"] for each in calls_in(file)] == [DONE, FAILED, REFUSED, STOPPED]
    first = msgspec.to_builtins(call())
    assert {**calls_in(file)[0], "id": ""} == {**first, "id": ""}
    assert sent(another, file) == ["imported"]
    assert without_ids(exported(another)) == without_ids(file)
    assert not {each["id"] for each in calls_in(exported(another))} & {each["id"] for each in calls_in(file)}
    assert sent(another, file) == ["known"]
    assert len(calls_in(exported(another))) == len(CALLS)
    thread: Any = another.get(f"/api/conversations/{exported(another)['conversations'][0]['id']}").json
    assert [each["title"] for said in thread["messages"] for each in said["calls"]] == [
        each["title"] for each in calls_in(file)
    ]


def test_one_that_had_not_ended_has_when_it_comes_back(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    called(member, {"status": RUNNING, "result": "", "duration_ms": None})
    assert sent(another, exported(member_client)) == ["imported"]
    assert [each["status"] for each in calls_in(exported(another))] == [STOPPED]


@pytest.mark.security("imports-bounded")
def test_what_a_file_says_of_them_is_made_harmless(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    called(member, {})
    file = exported(member_client)
    (answer,) = [said for said in file["conversations"][0]["messages"] if said["calls"]]
    (told,) = answer["calls"]
    long = "é" * tools.MOST_ARGUMENT_BYTES
    odd = {"server": "a\x00\u202eb" * 200, "title": "", "status": "sold", "error_code": "<b>", "duration_ms": -1}
    answer["calls"] = [
        told | odd | {"round": -5, "arguments": long, "result": long + "\x00"},
        told | {"tool": " "},
        *[told] * (brought_calls.MOST + 1),
    ]
    question = next(said for said in file["conversations"][0]["messages"] if said["role"] == "user")
    question["calls"] = [told]
    assert sent(another, file) == ["imported"]
    first, *others = calls_in(exported(another))
    assert (first["round"], first["title"], first["status"]) == (1, told["tool"], FAILED)
    assert (first["error_code"], first["duration_ms"]) == (None, None)
    assert first["server"].isprintable()
    assert len(first["server"]) <= 128
    assert len(first["result"].encode()) <= tools.MOST_RESULT_BYTES
    assert len(first["arguments"].encode()) <= tools.MOST_ARGUMENT_BYTES
    assert len(others) == brought_calls.MOST - 2


def test_they_count_towards_what_comes_in_on_a_day(
    member: User, member_client: PageClient, another: PageClient
) -> None:
    called(member, {}, {})
    file = exported(member_client)
    sent(another, file)
    with reading() as session:
        counted = session.scalars(select(ImportedDaily)).one()
    said = file["conversations"][0]["messages"]
    words = sum(len((each["text"] + each["reasoning"]).encode()) for each in said)
    assert counted.messages == len(said) + 2
    assert counted.text_bytes == words + 2 * len((ARGUMENTS + RESULT).encode())


def test_files_to_read_tell_what_was_asked_and_what_came(member: User, member_client: PageClient) -> None:
    made = called(member, *CALLS[:3])
    text = member_client.get(of(made, "md"), headers=ENGLISH).text
    assert "🔧 Weather \\*now\\* · Sky · done · 1.2 s\n\n```\n" + ARGUMENTS in text
    assert f"````\n{RESULT}\n````" in text
    assert "🔧 Search the web · failed" in text
    assert "🔧 Weather \\*now\\* · Sky · not allowed" in text
    page = member_client.get(of(made, "html"), headers=ENGLISH).text
    assert '<summary dir="auto">🔧 Weather *now* · Sky · done · 1.2 s</summary>' in page
    assert f'<pre class="plain">{html.escape(RESULT, quote=False)}</pre>' in page
    assert "<script" not in page


def test_they_are_in_the_file_of_everything(member: User, member_client: PageClient) -> None:
    called(member, *CALLS)
    with zipfile.ZipFile(io.BytesIO(member_client.get("/api/me/export").data)) as archive:
        assert len(calls_in(json.loads(archive.read("conversations.json")))) == len(CALLS)


def test_a_link_tells_their_names_alone(member: User, member_client: PageClient, client: PageClient) -> None:
    made = called(member, {}, {"result": "another secret"}, CALLS[1])
    sharing.switch("anybody")
    page = client.get(sharing.share(member_client, made)["path"], headers=ENGLISH).text
    assert "Tools used: Weather *now* (Sky), Search the web<" in html.unescape(page)
    for secret in ("Oslo", "Cold.", "another secret", "sky__weather", "tool_failed"):
        assert secret not in page


def test_a_link_names_what_is_built_in_in_its_readers_language(
    member: User, member_client: PageClient, client: PageClient
) -> None:
    theirs = {"server": "Sky", "title": "Open a page"}
    built_in = {"server": "", "tool": "web_fetch", "title": "Open a page"}
    sharing.switch("anybody")
    path = sharing.share(member_client, called(member, theirs, CALLS[1], built_in))["path"]
    for language, tools_used in (("zh-CN", "搜索网页, 打开网页"), ("ja", "ウェブ検索, ページを開く")):
        page = client.get(path, headers={"Accept-Language": language}).text
        assert f"Open a page (Sky), {tools_used}<" in page
