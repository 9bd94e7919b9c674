"""What programs ask and are answered, kept for their person alone, where they want that of a token for a while."""

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import AccessToken, AuditEntry, ProgramRequest, ProgramWords, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Said
from flask_app.services.gateway import request_retention, word_log
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Made
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.gateway import HELLO, Program, made
from tests.support.requests import logged, only
from tests.support.scripted_upstream import Answer, Continued, Embedded, ErrorEvent, ScriptedUpstream
from tests.support.upstream_completions import COMPLETIONS
from tests.support.upstream_embeddings import EMBEDDINGS

SECRET = "what nobody else may read"
ASKED = [{"role": "user", "content": SECRET}]


@pytest.fixture
def token(member: User, upstream: ScriptedUpstream) -> Made:
    return made(member)


@pytest.fixture
def program(app: Flask, token: Made) -> Program:
    return Program(app, token.secret)


@pytest.fixture
def kept(member_client: PageClient, token: Made) -> str:
    """The address at which a person says that the token's words are kept; they are."""
    address = f"/api/tokens/{token.token.id}/words"
    assert member_client.put(address, json={"hours": 24}).status_code == 200
    return address


def rows() -> list[ProgramWords]:
    with reading() as session:
        return list(session.scalars(select(ProgramWords).order_by(ProgramWords.id)))


def shown(client: PageClient, request: ProgramRequest) -> Any:
    response = client.get(f"/api/requests/{request.id}/words")
    assert response.status_code == 200, response.text
    return response.get_json()


def test_nothing_is_kept_where_nobody_wants_it(program: Program, member_client: PageClient) -> None:
    program.complete(messages=ASKED)
    assert rows() == []
    assert member_client.get(f"/api/requests/{only().id}/words").status_code == 404
    (listed,) = member_client.get("/api/requests").get_json()["requests"]
    assert listed["has_words"] is False


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.usefixtures("kept")
def test_what_is_asked_and_answered_is_kept_for_its_person(
    program: Program, member_client: PageClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    upstream.script(Answer("a secret answer", thinking="hm", deltas=({"tool_calls": [call]},)))
    assert program.complete(messages=ASKED, stream=stream).status_code == 200
    words = shown(member_client, only())
    asked = json.loads(words["asked"])
    assert (asked["messages"], asked["model"]) == (ASKED, "deepseek-flash")
    assert (words["reasoning"], words["text"], words["calls"], words["cut"]) == (
        "hm",
        "a secret answer",
        "look{}",
        False,
    )
    (listed,) = member_client.get("/api/requests").get_json()["requests"]
    assert listed["has_words"] is True
    (row,) = rows()
    assert SECRET.encode() not in row.content
    assert b"secret answer" not in row.content


@pytest.mark.usefixtures("kept")
def test_every_call_is_kept(program: Program, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Continued("the rest"), path=COMPLETIONS)
    upstream.script(Embedded(), path=EMBEDDINGS)
    upstream.default = Answer("well")
    program.message(messages=ASKED)
    program.respond(input=SECRET, stream=True)
    program.go_on(prompt=SECRET)
    program.embed(SECRET)
    program.post("/v1/messages/count_tokens", {"model": "deepseek-flash", "messages": ASKED})
    program.get("/v1/models")
    found = [shown(member_client, request) for request in logged()[:-1]]
    assert all(SECRET in words["asked"] for words in found)
    assert [words["text"] for words in found] == ["well", "well", "the rest", "", ""]
    assert len(rows()) == 5, "a request without a body says nothing"


@pytest.mark.usefixtures("kept")
def test_what_was_refused_or_broke_off_is_kept_too(
    program: Program, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(ErrorEvent(after="It began"))
    program.complete(messages=ASKED, temperature=9)
    program.complete(messages=ASKED, model="gpt-0")
    program.complete(messages=ASKED, stream=True)
    bad, unknown, broken = (shown(member_client, request) for request in logged())
    assert '"temperature"' in bad["asked"]
    assert SECRET in unknown["asked"]
    assert (SECRET in broken["asked"], broken["text"]) == (True, "It began")


@pytest.mark.usefixtures("kept")
def test_nobody_else_reads_it(
    app: Flask, program: Program, admin_client: PageClient, member_client: PageClient, token: Made
) -> None:
    program.complete(messages=ASKED)
    address = f"/api/requests/{only().id}/words"
    assert admin_client.get(address).status_code == 404
    assert new_client(app).get(address).status_code == 401
    assert program.get(address).status_code == 401
    assert member_client.get("/api/requests/nothing/words").status_code == 404
    (listed,) = admin_client.get("/api/admin/requests").get_json()["requests"]
    assert "has_words" not in listed
    (of_admins,) = admin_client.get("/api/admin/tokens").get_json()["tokens"]
    assert of_admins["words_until"] is not None, "that it is on an administrator sees"
    pages = ("/admin/requests", "/admin/tokens", "/admin/records", "/admin/audit")
    assert not [page for page in pages if SECRET in admin_client.get(page).text]


def test_its_person_wants_it_longer_and_no_more(
    program: Program, member_client: PageClient, token: Made, kept: str
) -> None:
    program.complete(messages=ASKED)
    first = shown(member_client, only())["until"]
    told = member_client.put(kept, json={"hours": 168}).get_json()["words_until"]
    assert shown(member_client, only())["until"] == told > first
    assert member_client.get("/api/tokens").get_json()["tokens"][0]["words_until"] == told
    assert member_client.delete(kept).status_code == 204
    assert rows() == []
    assert member_client.delete(kept).status_code == 204
    assert member_client.get("/api/tokens").get_json()["tokens"][0]["words_until"] is None
    program.complete(messages=ASKED)
    logged()
    assert rows() == []
    with reading() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.endswith("_words")).order_by(AuditEntry.id)
        )
        acts = [(entry.action, json.loads(entry.details)) for entry in entries]
    assert acts == [
        ("token.keep_words", {"name": "editor", "hours": 24}),
        ("token.keep_words", {"name": "editor", "hours": 168}),
        ("token.forget_words", {"name": "editor"}),
    ]


@pytest.mark.usefixtures("kept")
def test_when_the_time_is_over_it_is_shown_to_nobody_and_goes(program: Program, member_client: PageClient) -> None:
    program.complete(messages=ASKED)
    request = only()
    past = utc_now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(AccessToken).values(words_until=past))
        session.execute(update(ProgramWords).values(until=past))
    assert member_client.get(f"/api/requests/{request.id}/words").status_code == 404
    assert member_client.get("/api/requests").get_json()["requests"][0]["has_words"] is False
    assert member_client.get("/api/tokens").get_json()["tokens"][0]["words_until"] is None
    program.complete(messages=ASKED)
    logged()
    assert len(rows()) == 1, "nothing more is kept"
    word_log.prune()
    assert rows() == []


@pytest.mark.usefixtures("kept")
def test_it_goes_with_its_token_and_with_its_request(program: Program, member: User, token: Made) -> None:
    program.complete(messages=ASKED)
    request_retention.prune()
    logged()
    assert len(rows()) == 1
    request_retention._remove([only().id])
    assert rows() == []
    program.complete(messages=ASKED)
    logged()
    assert len(rows()) == 1
    token_service.revoke_own(Actor(member), token.token.id)
    assert rows() == []


@pytest.mark.usefixtures("kept")
def test_of_a_token_the_newest_are_kept_and_of_long_ones_the_beginning(
    member: User, member_client: PageClient, token: Made
) -> None:
    ids = sorted(new_id() for _ in range(word_log.MOST_KEPT + 2))
    for each in ids:
        word_log.keep(each, member.id, token.token.id, b"{}", Said("x" * (word_log.MOST_LETTERS + 1), "", ""))
    assert [row.id for row in rows()] == ids[2:]
    words = member_client.get(f"/api/requests/{ids[-1]}/words").get_json()
    assert (len(words["text"]), words["cut"]) == (word_log.MOST_LETTERS, True)


@pytest.mark.usefixtures("kept")
def test_with_another_key_nobody_reads_it(program: Program, member_client: PageClient) -> None:
    program.complete(messages=ASKED)
    request = only()
    config.install(dataclasses.replace(config.current(), encryption_key="a key that has never sealed anything at all"))
    assert member_client.get(f"/api/requests/{request.id}/words").status_code == 503


@pytest.mark.parametrize("hours", [0, 169, -1, None, "24", 1.5])
def test_it_is_kept_for_a_week_at_most(member_client: PageClient, token: Made, hours: Any) -> None:
    response = member_client.put(f"/api/tokens/{token.token.id}/words", json={"hours": hours})
    assert (response.status_code, error_code(response)) == (422, "invalid_field")


def test_only_its_person_has_it_kept(app: Flask, admin_client: PageClient, kept: str, token: Made) -> None:
    for wrong in (kept, "/api/tokens/nothing/words"):
        assert admin_client.put(wrong, json={"hours": 1}).status_code == 404
        assert admin_client.delete(wrong).status_code == 404
    assert new_client(app).put(kept, json={"hours": 1}).status_code in {401, 403}
    assert new_client(app).delete(kept).status_code in {401, 403}


def test_it_costs_a_request_nothing_where_it_is_off(program: Program, query_count: Any) -> None:
    program.complete()
    logged()
    with query_count() as statements:
        program.complete(messages=HELLO)
        logged()
    assert not [each for each in statements if "program_words" in each]


def test_the_list_asks_as_often_however_many_have_words(
    program: Program, member_client: PageClient, kept: str, query_count: Any
) -> None:
    program.complete()
    logged()
    with query_count() as one:
        member_client.get("/api/requests")
    for _ in range(5):
        program.complete()
    logged()
    with query_count() as many:
        assert len(member_client.get("/api/requests").get_json()["requests"]) == 6
    assert len(many) == len(one)
