"""The log of programs' requests as people read it: one's own at /api/requests, everybody's at /api/admin/requests."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select

from flask_app.database import first_id, new_id, reading, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, ProgramRequest, TokenUsage, User
from flask_app.services.gateway import request_retention
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.requests import logged, row
from tests.support.scripted_upstream import ScriptedUpstream

OWN, ALL, KEPT = "/api/requests", "/api/admin/requests", "/api/admin/requests/retention"
FORMER = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)  # midnight in Shanghai is between them
LATER = datetime(2026, 3, 1, 16, 1, tzinfo=UTC)

QueryCount = Callable[[], AbstractContextManager[list[str]]]


def page(client: PageClient, path: str, **wanted: Any) -> Any:
    reply = client.get(path, query_string=wanted)
    assert reply.status_code == 200, reply.text
    return json.loads(reply.text)


def ids(client: PageClient, path: str, **wanted: Any) -> list[str]:
    return [each["request_id"] for each in page(client, path, **wanted)["requests"]]


def write(*rows: dict[str, Any]) -> None:
    with transaction() as session:
        for each in rows:
            session.execute(insert(ProgramRequest), row(**each))


@pytest.fixture
def two(member: User, admin: User) -> None:
    """A member's that went well, and later an administrator's that failed."""
    former = {"id": first_id(FORMER), "created_at": FORMER, "user_id": member.id, "token_id": "t1", "request_id": "r1"}
    later = {"id": first_id(LATER), "created_at": LATER, "user_id": admin.id, "token_id": "t2", "request_id": "r2"}
    write(former, {**later, "status": 502, "error_code": "upstream_failed", "model": "gpt-0", "actual_model": None})


def test_what_a_program_asked_is_told_with_its_record(
    app: Flask, upstream: ScriptedUpstream, member: User, member_client: PageClient, admin_client: PageClient
) -> None:
    token = made(member)
    response = Program(app, token.secret).complete()
    logged()
    with reading() as session:
        entry = session.scalars(select(TokenUsage)).one()
    (own,) = page(member_client, OWN)["requests"]
    assert own == own | {
        "token_id": token.token.id,
        "token_name": "editor",
        "call": "chat.completions",
        "model": "deepseek-flash",
        "status": 200,
        "error_code": None,
        "attempts": 1,
        "request_id": response.headers["x-request-id"],
        "record_id": entry.id,
        "attempt_id": entry.attempt_id,
        "address": "127.0.0.1",
        "bytes_sent": len(response.get_data()),
    }
    assert "user" not in own
    assert own.pop("has_words") is False, "whether there are is nobody else's business"
    (everybodys,) = page(admin_client, ALL)["requests"]
    assert everybodys == own | {"user": {"id": member.id, "username": "member"}}
    records = page(admin_client, "/api/admin/records", id=own["record_id"])["records"]
    assert [record["attempt_id"] for record in records] == [own["attempt_id"]]


@pytest.mark.usefixtures("two")
def test_they_are_searched_by_who_with_what_how_and_when(admin_client: PageClient, member: User, admin: User) -> None:
    assert ids(admin_client, ALL) == ["r2", "r1"]
    assert ids(admin_client, ALL, user=member.username.upper()) == ["r1"]
    assert ids(admin_client, ALL, user=admin.id) == ["r2"]
    assert ids(admin_client, ALL, user="nobody") == []
    assert ids(admin_client, ALL, token="t1") == ["r1"]
    assert ids(admin_client, ALL, model="gpt-0") == ["r2"]
    assert ids(admin_client, ALL, status="2xx") == ["r1"]
    assert ids(admin_client, ALL, status="5xx") == ["r2"]
    assert ids(admin_client, ALL, error="upstream_failed") == ["r2"]
    assert ids(admin_client, ALL, id="r1") == ["r1"]
    assert ids(admin_client, ALL, to="2026-03-01") == ["r1"]
    assert ids(admin_client, ALL, **{"from": "2026-03-02"}) == ["r2"]
    assert ids(admin_client, ALL, status="5xx", model="gpt-0", user=admin.username) == ["r2"]
    assert ids(admin_client, ALL, status="5xx", model="deepseek-flash") == []


@pytest.mark.security("own-files-and-searches")
@pytest.mark.usefixtures("two")
def test_ones_own_are_ones_own_whatever_is_asked(member_client: PageClient, admin: User) -> None:
    assert ids(member_client, OWN) == ["r1"]
    for foreign in ({"token": "t2"}, {"id": "r2"}, {"error": "upstream_failed"}):
        assert ids(member_client, OWN, **foreign) == []
    assert ids(member_client, OWN, user=admin.username) == ["r1"], "it is no filter there"


def test_a_foreign_token_finds_nothing_and_is_not_looked_through(
    two: None, admin_client: PageClient, member: User, admin: User, query_count: QueryCount
) -> None:
    token = made(member).token
    write({"user_id": member.id, "token_id": token.id, "request_id": "r3"})
    assert ids(admin_client, ALL, token=token.id, user=member.username) == ["r3"]
    with query_count() as statements:
        assert ids(admin_client, OWN, token=token.id) == []
        assert ids(admin_client, ALL, token=token.id, user=admin.username) == []
    assert not [each for each in statements if "FROM program_requests" in each]


def test_an_administrators_own_are_not_everybodys(two: None, admin_client: PageClient) -> None:
    assert ids(admin_client, OWN) == ["r2"]


@pytest.mark.parametrize("path", [OWN, ALL])
def test_pages_follow_each_other_without_a_gap(
    admin_client: PageClient, admin: User, query_count: QueryCount, path: str
) -> None:
    moments = [FORMER.replace(second=second) for second in range(7)]
    write(*({"id": first_id(each), "request_id": f"r{each.second}", "user_id": admin.id} for each in moments))
    with query_count() as few:
        first = page(admin_client, path, limit=2, status="2xx")
    with query_count() as many:
        rest = page(admin_client, path, limit=100, before=first["next"], status="2xx")
    told = [each["request_id"] for each in first["requests"] + rest["requests"]]
    assert told == [f"r{number}" for number in range(6, -1, -1)]
    assert rest["next"] is None
    assert len(many) == len(few)


@pytest.mark.parametrize("path", [OWN, ALL])
@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"status": "3xx"}, "unknown_status_class"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "backwards_range"),
        ({"from": "yesterday"}, "bad_date"),
        ({"error": "x" * 129}, "search_too_long"),
        ({"model": "a\x07b"}, "bad_word"),
        ({"limit": "101"}, "bad_limit"),
        ({"before": "x"}, "bad_cursor"),
    ],
)
def test_what_makes_no_sense_is_refused(admin_client: PageClient, path: str, wanted: dict[str, str], code: str) -> None:
    reply = admin_client.get(path, query_string=wanted)
    assert (reply.status_code, error_code(reply)) == (400, code)


def test_nobody_else_reads_them(client: PageClient, member_client: PageClient) -> None:
    for path in (OWN, ALL, KEPT):
        assert client.get(path).status_code == 401
    for path in (ALL, KEPT):
        assert member_client.get(path).status_code == 403


def test_an_administrator_says_for_how_long_they_are_kept(admin_client: PageClient) -> None:
    assert page(admin_client, KEPT) == {"days": 30, "groups": {}}
    wanted = {"days": 7, "groups": {DEFAULT_GROUP_ID: 90}}
    assert admin_client.put(KEPT, json=wanted).get_json() == wanted
    assert page(admin_client, KEPT) == wanted
    assert request_retention.kept().of(DEFAULT_GROUP_ID) == 90
    assert admin_client.put(KEPT, json={"days": 7}).get_json() == wanted, "what is not named stays"
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "requests.retention")).one()
    assert entry.actor_name == "admin"


def test_how_many_would_go_is_said_and_confirmed(admin_client: PageClient) -> None:
    moment = utc_now() - timedelta(days=9)
    write({"id": new_id(moment), "created_at": moment})
    refused = admin_client.put(KEPT, json={"days": 7})
    assert (refused.status_code, error_code(refused)) == (409, "retention_removes")
    assert refused.get_json()["error"]["params"]["requests"] == 1
    assert page(admin_client, KEPT)["days"] == 30
    assert admin_client.put(KEPT, json={"days": 7, "confirmed": True}).get_json() == {"days": 7, "groups": {}}


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"days": 0}, {"days": 3651}, {"days": "7"}, {"days": 7, "more": 1}),
        *({"days": 7, "groups": {DEFAULT_GROUP_ID: days}} for days in (0, 3651, None, "7")),
        *({"days": 7, "groups": {"nothing": 7}}, {"days": 7, "groups": []}),
    ],
)
def test_not_for_any_number_of_days(admin_client: PageClient, body: dict[str, Any]) -> None:
    assert admin_client.put(KEPT, json=body).status_code == 422
    assert page(admin_client, KEPT) == {"days": 30, "groups": {}}


def test_nobody_else_says_so(client: PageClient, member_client: PageClient) -> None:
    assert member_client.put(KEPT, json={"days": 7}).status_code == 403
    assert client.put(KEPT, json={"days": 7}).status_code == 401


@pytest.mark.usefixtures("two")
def test_ones_own_page_begins_with_what_is_asked_for(member_client: PageClient, client: PageClient) -> None:
    told = member_client.get("/tokens/requests?status=2xx").text
    assert '"request_id":"r1"' in told
    assert '"request_id":"r2"' not in told
    assert '"request_id":"r1"' not in member_client.get("/tokens/requests?status=4xx").text
    assert client.get("/tokens/requests", headers={"Accept": "text/html"}).status_code == 302


def test_a_page_asks_the_database_no_more_where_there_is_more(
    admin_client: PageClient, admin: User, query_count: QueryCount
) -> None:
    counts = []
    for _ in range(2):
        write(*({"user_id": admin.id, "request_id": f"r{number}"} for number in range(30)))
        for path in ("/admin/requests", "/tokens/requests"):
            admin_client.get(path)
            with query_count() as statements:
                admin_client.get(path)
            counts.append(len(statements))
    assert counts[:2] == counts[2:]
