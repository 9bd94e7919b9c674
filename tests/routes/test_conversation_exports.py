"""/api/conversations/…/export: one's own conversations as files, whole, harmless and flat in memory."""

import hashlib
import io
import json
import tracemalloc
import zipfile
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from sqlalchemy import insert, select

from flask_app.database import engine, new_id, reading, transaction, utc_now
from flask_app.models import Conversation, Message, User
from flask_app.services.files import file_expiry
from flask_app.services.portability import conversation_export
from flask_app.services.portability.conversation_format import File
from flask_app.services.sign_in import auth_service, open_sessions
from tests.support import files, talks
from tests.support.brokers import wait_until
from tests.support.clients import PageClient

ALL = "/api/conversations/export"
MANY = 3_000


def of(conversation_id: str, kind: str = "md") -> str:
    return f"/api/conversations/{conversation_id}/export?format={kind}"


def told(client: PageClient, url: str) -> Any:
    """A file of our own, which must be as the schema has it."""
    response = client.get(url)
    assert response.status_code == 200, response.text
    msgspec.json.decode(response.data, type=File)
    return json.loads(response.data)


def name_of(response: Any) -> str:
    header = response.headers["Content-Disposition"]
    assert header.isascii()
    return unquote(header.partition("filename*=UTF-8''")[2])


def answer_of(conversation: Conversation, text: str) -> Message:
    with reading() as session:
        found = session.scalar(
            select(Message).where(Message.conversation_id == conversation.id, Message.text.contains(text))
        )
    assert found is not None
    return found


def test_json_has_every_branch_its_times_counts_folder_pin_and_archive(member: User, member_client: PageClient) -> None:
    kept = talks.folder(member, "诗歌")
    made = talks.branched(member, folder_id=kept.id, pinned_at=talks.BEGAN, archived=True)
    first = answer_of(made, "The first")
    talks.counted(member, first.id)
    file = told(member_client, of(made.id, "json"))
    assert (file["format"], file["version"]) == ("mingchat.conversations", 1)
    assert [folder["name"] for folder in file["folders"]] == ["诗歌"]
    (talk,) = file["conversations"]
    assert (talk["id"], talk["title"], talk["archived"], talk["folder_id"]) == (made.id, "一段谈话", True, kept.id)
    assert talk["pinned_at"] == talk["created_at"] == "2026-11-25T04:05:06.000789Z"
    said = talk["messages"]
    assert [each["role"] for each in said] == ["user", "assistant", "assistant", "user", "assistant"]
    assert said[1]["parent_id"] == said[2]["parent_id"] == said[0]["id"]
    assert said[1]["usage"] == {
        "prompt_tokens": 100,
        "cached_tokens": 60,
        "completion_tokens": 50,
        "reasoning_tokens": 20,
        "source": "reported",
    }
    assert (said[1]["model"], said[1]["finish_reason"], said[2]["usage"]) == ("deepseek-flash", "stop", None)


def test_all_of_ones_own_are_in_one_file_and_nobody_elses(member: User, admin: User, member_client: PageClient) -> None:
    talks.branched(admin, title="somebody else's")
    own = [talks.branched(member, title=f"第 {number} 段").id for number in range(3)]
    file = told(member_client, f"{ALL}?format=json")
    assert sorted(talk["id"] for talk in file["conversations"]) == sorted(own)
    lines = member_client.get(f"{ALL}?format=json").text.splitlines()
    assert len(lines) == len(own) + 2, "one to a line: the page counts them"


def test_some_are_chosen_by_their_folder_or_by_their_ids(member: User, member_client: PageClient) -> None:
    kept = talks.folder(member, "诗歌")
    inside = talks.branched(member, folder_id=kept.id)
    outside, _ = talks.branched(member), talks.branched(member)
    by_folder = told(member_client, f"{ALL}?format=json&folder={kept.id}")
    assert [talk["id"] for talk in by_folder["conversations"]] == [inside.id]
    by_ids = told(member_client, f"{ALL}?format=json&id={outside.id}&id={inside.id}")
    assert {talk["id"] for talk in by_ids["conversations"]} == {inside.id, outside.id}


def test_without_a_conversation_the_file_is_whole_all_the_same(member_client: PageClient) -> None:
    assert told(member_client, f"{ALL}?format=json")["conversations"] == []
    with zipfile.ZipFile(io.BytesIO(member_client.get(ALL).data)) as archive:
        assert archive.namelist() == []


def test_markdown_is_the_branch_that_was_written_in_last(member: User, member_client: PageClient) -> None:
    made = talks.branched(member)
    response = member_client.get(of(made.id), headers={"Accept-Language": "zh"})
    assert response.mimetype == "text/markdown"
    assert response.text.startswith("# 一段谈话\n\n")
    assert "**第二个**回答" in response.text
    assert "## deepseek-flash · 2026-11-25 12:05" in response.text, "at the reader's time"
    assert "The first answer" not in response.text
    assert "其他分支上的消息 1 条" in response.text


@pytest.mark.security("markup-inert", "picture-leak")
def test_a_page_reads_well_and_nothing_in_it_runs_or_is_fetched(member: User, member_client: PageClient) -> None:
    made = talks.branched(member, title="</title><script>alert(1)</script>")
    response = member_client.get(of(made.id, "html"))
    assert response.headers["Content-Disposition"].startswith("attachment")
    page = response.text
    assert "<script" not in page
    assert "<img" not in page
    assert "javascript:" not in page.replace("[x](javascript:alert(1))", "")
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<strong>第二个</strong>" in page
    assert "<td>1</td>" in page


def test_thoughts_and_what_became_of_an_answer_are_told(member: User, member_client: PageClient) -> None:
    made = talks.branched(member)
    last = answer_of(made, "pixel")
    with transaction() as session:
        session.get_one(Message, last.id).reasoning = "Let me\n\nthink"
        session.get_one(Message, last.id).status = "stopped"
    english = {"Accept-Language": "en"}
    text = member_client.get(of(made.id), headers=english).text
    assert "> **Thoughts**\n>\n> Let me\n>\n> think" in text
    assert "*This answer was stopped.*" in text
    assert "<details>" in member_client.get(of(made.id, "html"), headers=english).text


def test_a_zip_has_a_file_for_each_in_its_folder(member: User, member_client: PageClient) -> None:
    kept = talks.folder(member, "../诗/歌")
    inside = talks.branched(member, folder_id=kept.id, title="=1+1")
    outside = talks.branched(member, title="../../etc/passwd")
    for kind in ("md", "html"):
        response = member_client.get(f"{ALL}?format={kind}")
        assert response.mimetype == "application/zip"
        with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == sorted(
                [
                    f"_诗_歌/2026-11-25 1+1 {inside.id[-6:]}.{kind}",
                    f"2026-11-25 _.._etc_passwd {outside.id[-6:]}.{kind}",
                ]
            )
            assert "回答" in archive.read(archive.namelist()[0]).decode()
        assert response.data.count(b"PK\x03\x04") == 2, "the page counts them"


@pytest.mark.security("file-names-encoded")
def test_a_file_is_called_by_its_day_and_title(member: User, member_client: PageClient) -> None:
    made = talks.branched(member, title='关于 "唐诗"/\r\n的')
    for kind in ("md", "html", "json"):
        assert name_of(member_client.get(of(made.id, kind))) == f"2026-11-25 关于 _唐诗__ 的.{kind}"
    day = f"{utc_now() + timedelta(hours=8):%Y-%m-%d}"
    assert name_of(member_client.get(ALL, headers={"Accept-Language": "zh"})) == f"对话-{day}.zip"


@pytest.mark.security("own-files-and-searches")
def test_what_is_somebody_elses_is_not_there(member: User, admin: User, member_client: PageClient) -> None:
    foreign, folder = talks.branched(admin), talks.folder(admin, "theirs")
    own = talks.branched(member)
    for kind in ("md", "html", "json"):
        assert member_client.get(of(foreign.id, kind)).status_code == 404
        assert member_client.get(of(new_id(), kind)).status_code == 404
        assert member_client.get(f"{ALL}?format={kind}&folder={folder.id}").status_code == 404
        assert member_client.get(f"{ALL}?format={kind}&id={own.id}&id={foreign.id}").status_code == 404


def test_who_is_not_signed_in_gets_nothing(client: PageClient, member: User) -> None:
    assert client.get(ALL).status_code == client.get(of(talks.branched(member).id)).status_code == 401


def test_what_cannot_be_exported_is_refused(member: User, member_client: PageClient) -> None:
    made = talks.branched(member)
    for url in (of(made.id, "pdf"), f"{ALL}?format=pdf"):
        response: Any = member_client.get(url)
        assert (response.status_code, response.json["error"]["code"]) == (400, "unknown_format")
    chosen = "&".join(f"id={new_id()}" for _ in range(conversation_export.MOST_CHOSEN + 1))
    response = member_client.get(f"{ALL}?{chosen}")
    assert (response.status_code, response.json["error"]["code"]) == (422, "too_many_chosen")


def test_who_is_signed_out_meanwhile_gets_a_file_that_breaks_off(member: User, member_client: PageClient) -> None:
    for _ in range(3):
        talks.branched(member)
    pieces = iter(member_client.get(f"{ALL}?format=json", buffered=False).response)
    next(pieces)
    with transaction() as session:
        auth_service.end_sessions(session, member.id)
    open_sessions.look()
    with pytest.raises(Exception, match="sign_in_required"):
        list(pieces)


def test_no_connection_is_held_while_a_file_is_sent(member: User, member_client: PageClient) -> None:
    for _ in range(3):
        talks.branched(member)
    response = member_client.get(f"{ALL}?format=json", buffered=False)
    pieces = iter(response.response)
    next(pieces)
    assert next(pieces)
    wait_until(lambda: engine().pool.checkedout() == 0)  # type: ignore[attr-defined]  # but for one that others use
    response.close()


def _fill(person: User, count: int) -> None:
    ids = [new_id() for _ in range(count)]
    now = utc_now()
    talks_of = [
        {"id": each, "user_id": person.id, "title": f"第 {each}", "created_at": now, "updated_at": now} for each in ids
    ]
    said = [
        {"id": new_id(), "conversation_id": each, "role": "user", "text": f"{each} " * 40, "created_at": now}
        for each in ids
    ]
    with transaction() as session:
        for start in range(0, count, 2_000):
            session.execute(insert(Conversation), talks_of[start : start + 2_000])
            session.execute(insert(Message), said[start : start + 2_000])


@pytest.mark.parametrize(("kind", "each"), [("json", 0), ("md", 1_400)])
def test_memory_stays_flat_however_many_there_are(
    member: User, member_client: PageClient, kind: str, each: int
) -> None:
    """Of a zip its list of files is kept, which stands at its end: about a kilobyte for each."""
    _fill(member, MANY)
    assert _size(member_client, f"{ALL}?format={kind}&id={new_id()}") < 1_000  # what is made once is made
    tracemalloc.start()
    size = _size(member_client, f"{ALL}?format={kind}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 100_000
    assert peak < 1_500_000 + each * MANY


def _size(client: PageClient, url: str) -> int:
    response = client.get(url, buffered=False)
    size = sum(len(piece) for piece in response.response)
    response.close()
    return size


def test_the_account_page_says_how_many_there_are(member: User, member_client: PageClient) -> None:
    assert "data-downloads" not in member_client.get("/account").text
    kept = talks.folder(member, "诗歌")
    talks.branched(member, folder_id=kept.id)
    talks.branched(member)
    page = member_client.get("/account").text
    assert 'value="" data-count="2"' in page
    assert f'value="{kept.id}" data-count="1"' in page


def test_files_are_named(member: User, member_client: PageClient) -> None:
    """Their contents are in the file of everything, and not in this one."""
    made = talks.branched(member)
    files.attach(file_id := files.file_of(member, sent=True), made.id)
    (talk,) = told(member_client, of(made.id, "json"))["conversations"]
    about = {"id": file_id, "name": "a.txt", "kind": "text", "content_type": "text/plain", "bytes": 1}
    named = about | {"digest": hashlib.sha256(b"a").hexdigest(), "absent": None} | {"told": "whole", "told_parts": None}
    assert [message["files"] for message in talk["messages"]] == [[named], [], [], [], []]
    assert "📎 a.txt\n\n你好" in member_client.get(of(made.id)).text
    assert "📎 a.txt</p>" in member_client.get(of(made.id, "html")).text


def test_a_file_that_is_no_longer_kept_is_told_as_such(member: User, member_client: PageClient) -> None:
    made = talks.branched(member)
    files.attach(file_id := files.file_of(member, sent=True), made.id)
    assert file_expiry.expire(file_id, utc_now())
    (talk,) = told(member_client, of(made.id, "json"))["conversations"]
    (named,) = talk["messages"][0]["files"]
    assert (named["name"], named["bytes"], named["digest"], named["absent"]) == ("a.txt", 1, None, "expired")
    english = {"Accept-Language": "en"}
    assert "📎 a.txt (no longer kept)\n\n你好" in member_client.get(of(made.id), headers=english).text
    assert "📎 a.txt (no longer kept)</p>" in member_client.get(of(made.id, "html"), headers=english).text


def test_times_say_of_which_zone_they_are(member: User, member_client: PageClient) -> None:
    made = talks.branched(member)
    with transaction() as session:
        session.get_one(User, member.id).timezone = "Asia/Shanghai"
    for kind in ("md", "html"):
        text = member_client.get(of(made.id, kind)).text
        assert "2026-11-25 12:05 +08:00" in text, kind
