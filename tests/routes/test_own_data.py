"""/api/me/export: everything of one's own in one file, and no secret; /api/me/delete: the way out."""

import io
import json
import random
import re
import tracemalloc
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain import files as bounds
from flask_app.models import AccessToken, AuditEntry, FilePiece, KeptFile, LoginSession, User
from flask_app.services.assistants import own_assistants
from flask_app.services.assistants.assistant_terms import Wanted as Asked
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import draft_service
from flask_app.services.files import file_expiry, file_retention
from flask_app.services.gateway import request_log, word_log
from flask_app.services.people import account_deletion, user_admin_service
from flask_app.services.portability import own_data
from flask_app.services.prompts import own_prompts
from flask_app.services.prompts.prompt_terms import Wanted
from flask_app.services.runs import run_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import authenticator, ledger, talks
from tests.support import files as attached
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream

EXPORT, DELETE = "/api/me/export", "/api/me/delete"
FILES = ["README.txt", "account.json", "conversations.json", "drafts.jsonl", "prompts.jsonl"]
FILES += ["assistants.jsonl", "usage.jsonl", "requests.jsonl"]
DAY = timedelta(days=1)
ENDLESS = Answer("word " * 2_000, tokens_per_second=50)


def unpacked(client: PageClient) -> dict[str, bytes]:
    response = client.get(EXPORT)
    assert response.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def lines(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json["error"]["code"]


@pytest.mark.security("own-files-and-searches", "key-never-returned")
def test_everything_of_ones_own_is_in_it_and_nothing_of_anybody_else(
    member: User, admin: User, member_client: PageClient, client: PageClient
) -> None:
    talk = talks.branched(member, folder_id=talks.folder(member, "诗歌").id)
    foreign = talks.branched(admin, title="somebody else's")
    draft_service.keep(member, talk.id, "not yet sent", "a-key")
    own_prompts.add(member, Wanted("sum", "Sum it up", "Sum this up."))
    known = attached.kept(member_client, b"words that it knows", "known.txt")
    own_assistants.add(member, Asked(name="Tutor", icon="", instructions="Ask back.", files=[known["id"]]))
    own_assistants.add(admin, {"name": "Theirs", "icon": "", "instructions": "not the member's either"})
    theirs = own_prompts.add(admin, Wanted("sum", "Sum it up", "not the member's"))
    ledger.write([ledger.entry(member.id, utc_now()), ledger.entry(admin.id, utc_now())])
    token = made(member, "editor")
    kept = attached.kept(member_client, attached.picture(), "picture.png")
    del kept["omits"]  # which is told where it comes in
    attached.file_of(admin)
    attached.attach(expired := attached.file_of(member, sent=True), talk.id)
    assert file_expiry.expire(expired, utc_now())
    files = unpacked(member_client)
    contents = [f"files/{known['id']} known.txt", f"files/{kept['id']} picture.png"]
    assert list(files) == [*FILES, "words.jsonl", "files.jsonl", *contents]
    assert files[contents[0]] == b"words that it knows"
    of_files = {each["id"]: each for each in lines(files["files.jsonl"])}
    assert (of_files[kept["id"]], of_files[expired]["absent"], len(of_files)) == (kept, "expired", 3)
    assert files[f"files/{kept['id']} picture.png"] == member_client.get(f"/api/files/{kept['id']}").data
    account = json.loads(files["account.json"])
    assert (account["user"]["username"], account["tokens"][0]["name"]) == ("member", "editor")
    assert account["sessions"]
    assert [each["id"] for each in json.loads(files["conversations.json"])["conversations"]] == [talk.id]
    assert [each["text"] for each in lines(files["drafts.jsonl"])] == ["not yet sent"]
    assert [each["text"] for each in lines(files["prompts.jsonl"])] == ["Sum this up."]
    (assistant,) = lines(files["assistants.jsonl"])
    assert (assistant["instructions"], assistant["files"][0]["id"]) == ("Ask back.", known["id"])
    assert len(lines(files["usage.jsonl"])) == 1
    everything = b"".join(files.values()).decode(errors="replace")
    for secret in (
        token.secret,
        token.token.digest,
        member.password_hash,
        member_client.session_token,
        foreign.id,
        theirs.id,
    ):
        assert secret
        assert secret not in everything
    assert client.get(EXPORT).status_code == 401


def test_a_long_file_is_sent_in_flat_memory(member: User, member_client: PageClient) -> None:
    """Of its content no more than a few pieces are held, whatever the zip makes of them."""
    file_id, pieces = attached.file_of(member), 40
    piece = random.Random(1).randbytes(bounds.PIECE_BYTES)
    with transaction() as session:
        numbered = [{"file_id": file_id, "number": 1 + number, "content": piece} for number in range(pieces)]
        session.execute(insert(FilePiece), numbered)
        session.execute(update(KeptFile).values(bytes=1 + pieces * bounds.PIECE_BYTES))
    sent = member_client.get(EXPORT, buffered=False)
    tracemalloc.start()
    size = sum(len(part) for part in sent.response)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    sent.close()
    assert size > pieces * bounds.PIECE_BYTES
    assert peak < 8 * bounds.PIECE_BYTES


@pytest.mark.security("deleted-is-gone")
def test_what_was_deleted_is_in_no_file(member: User, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("a word of the answer"))
    file_id = attached.kept(member_client, b"a word of the file", "a-word-of-the-name.txt")["id"]
    asked = {"message": "a word of the question", "files": [file_id]}
    with member_client.post("/api/chat", json=asked) as response:
        conversation = f"/api/conversations/{events_of(response.data)[0].data['conversation_id']}"
    assert member_client.patch(conversation, json={"title": "a word of the title"}).status_code == 200
    draft = {"text": "a word of the draft", "key": "k"}
    assert member_client.put(f"{conversation}/draft", json=draft).status_code == 200
    there = {"question", "answer", "title", "draft", "file", "name"}
    assert _everything_downloaded(member_client) == there

    assert member_client.delete(conversation).status_code == 204
    with transaction() as session:
        session.execute(update(KeptFile).values(created_at=utc_now() - 2 * DAY, sent_at=utc_now() - 2 * DAY))
    file_retention.prune()
    assert _everything_downloaded(member_client) == set()
    assert len(ledger.entries()) == 1, "the counts stay"


def _everything_downloaded(client: PageClient) -> set[str]:
    """What is told of, by its kind, in the person's own data and in all of their conversations, however written."""
    files = [content for name, content in unpacked(client).items() if name != "README.txt"]
    files += [client.get("/api/conversations/export", query_string={"format": "json"}).data]
    for kind in ("md", "html"):
        packed = client.get("/api/conversations/export", query_string={"format": kind}).data
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            files += [archive.read(name) for name in archive.namelist()]
    return set(re.findall(r"a[ -]word[ -]of[ -]the[ -](\w+)", b"\n".join(files).decode(errors="replace")))


def test_what_programs_asked_is_in_it_with_its_words_where_those_are_kept(
    app: Any, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    token = made(member)
    word_log.put(Actor(member), token.token.id, 1)
    upstream.script(Answer("Of course."))
    assert Program(app, token.secret).complete().status_code == 200
    request_log.write()
    wait_until(lambda: lines(unpacked(member_client)["words.jsonl"]))
    files = unpacked(member_client)
    (asked,) = lines(files["requests.jsonl"])
    (said,) = lines(files["words.jsonl"])
    assert (said["request_id"], said["text"]) == (asked["id"], "Of course.")


def test_words_whose_time_ends_while_they_are_read_are_left_out(
    app: Any, member: User, upstream: ScriptedUpstream
) -> None:
    token = made(member)
    word_log.put(Actor(member), token.token.id, 1)
    for text in ("One.", "Two."):
        upstream.script(Answer(text))
        assert Program(app, token.secret).complete().status_code == 200
    request_log.write()
    wait_until(lambda: len(list(own_data.words(member))) == 2)
    reading_on = own_data.words(member)
    next(reading_on)
    word_log.remove(Actor(member), token.token.id)
    assert list(reading_on) == []


@pytest.mark.parametrize("locale", ["en", "zh", "zh-Hant", "ja"])
def test_a_page_in_the_readers_language_says_what_is_what(member_client: PageClient, locale: str) -> None:
    assert member_client.patch("/api/me", json={"locale": locale}).status_code == 200
    files = unpacked(member_client)
    for name in files:
        assert name in files["README.txt"].decode() or name == "README.txt"


@pytest.mark.security("disabled-is-out", "audit")
def test_an_account_is_over_at_once(
    app: Any, member: User, member_client: PageClient, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    upstream.script(ENDLESS)
    another, token = sign_in(member), made(member)
    with member_client.post("/api/chat", json={"message": "hello"}, buffered=False) as response:
        next(iter(response.response))
        assert run_service.live_runs()
        gone = another.post(DELETE, json={"password": PASSWORD})
        assert gone.status_code == 204
        assert "__Host-mingchat=;" in gone.headers["Set-Cookie"]
        assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
        wait_until(lambda: not run_service.live_runs())
    assert member_client.get("/api/me").status_code == another.get("/api/me").status_code == 401
    assert Program(app, token.secret).get("/v1/models").status_code == 401
    with reading() as session:
        assert session.scalars(select(LoginSession).where(LoginSession.user_id == member.id)).all() == []
        assert session.scalars(select(AccessToken.revoked_at)).one() is not None
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "account.delete")).one()
    assert (entry.actor_id, entry.target, json.loads(entry.details)) == (member.id, member.id, {"username": "member"})


def test_nobody_signs_in_any_more_and_nobody_lets_them_in_again(
    member: User, admin_client: PageClient, member_client: PageClient, client: PageClient
) -> None:
    assert member_client.post(DELETE, json={"password": PASSWORD}).status_code == 204
    signed = client.post("/api/login", json={"username": "member", "password": PASSWORD})
    assert signed.status_code == 403
    assert admin_client.patch(f"/api/admin/users/{member.id}", json={"disabled": False}).status_code == 404
    account_deletion.finish()
    unknown = client.post("/api/login", json={"username": "member", "password": PASSWORD})
    assert refusal(unknown) == (401, "wrong_credentials")


def test_the_name_is_free_again_once_it_is_gone(member: User, member_client: PageClient) -> None:
    assert member_client.post(DELETE, json={"password": PASSWORD}).status_code == 204
    account_deletion.finish()
    added = user_admin_service.add(Actor(None), "member", "member")
    assert added.user.id != member.id


def test_the_password_is_asked_for(member: User, member_client: PageClient, client: PageClient) -> None:
    for body in ({}, {"password": "not the password, long"}):
        assert refusal(member_client.post(DELETE, json=body)) == (403, "wrong_password")
    assert refusal(member_client.post(DELETE, json={"passwort": "x"})) == (422, "invalid_field")
    assert client.post(DELETE, json={"password": PASSWORD}).status_code in {401, 403}
    assert member_client.get("/api/me").status_code == 200


def test_a_code_is_asked_for_too_where_there_is_a_second_step(member: User, member_client: PageClient) -> None:
    secret, _ = authenticator.turn_on(member)
    for code in (None, authenticator.wrong(secret)):
        refused = member_client.post(DELETE, json={"password": PASSWORD, "code": code})
        assert refusal(refused) == (403, "wrong_second_step_code")
    right = {"password": PASSWORD, "code": authenticator.code(secret)}
    assert member_client.post(DELETE, json=right).status_code == 204


def test_who_has_no_password_must_have_signed_in_lately(make_user: MakeUser, sign_in: SignIn) -> None:
    person = make_user("linked")
    client = sign_in(person)
    with transaction() as session:
        session.execute(update(User).where(User.id == person.id).values(password_hash=None))
        long_ago = utc_now() - timedelta(hours=3)
        session.execute(update(LoginSession).where(LoginSession.user_id == person.id).values(created_at=long_ago))
    assert refusal(client.post(DELETE, json={})) == (403, "sign_in_again")
    with transaction() as session:
        session.execute(update(LoginSession).where(LoginSession.user_id == person.id).values(created_at=utc_now()))
    assert client.post(DELETE, json={}).status_code == 204


@pytest.mark.security("last-administrator")
def test_the_last_owner_stays(owner: User, owner_client: PageClient, make_user: MakeUser) -> None:
    make_user("disabled", "owner", disabled=True)
    assert refusal(owner_client.post(DELETE, json={"password": PASSWORD})) == (409, "last_owner")
    make_user("heir", "owner")
    assert owner_client.post(DELETE, json={"password": PASSWORD}).status_code == 204
