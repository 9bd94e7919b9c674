"""/api/admin/rates, and that what is set there holds from the next request."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code

RATES = "/api/admin/rates"
SITE, EVERYONE = f"{RATES}/site", f"{RATES}/groups/{DEFAULT_GROUP_ID}"
TWICE, THRICE, FREE = ({"amount": amount, "seconds": 60} for amount in (2, 3, None))
PAGE, FILE = "/api/conversations", "/api/usage/records/export"


def put(client: PageClient, path: str, **rates: Any) -> dict[str, Any]:
    response = client.put(path, json=rates)
    assert response.status_code == 200, response.json
    return dict(response.json)  # type: ignore[arg-type]


def statuses(client: PageClient, times: int, path: str = PAGE) -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def asked(client: PageClient) -> int:
    headers = {"Accept": "application/json"}
    return client.post("/api/chat", json={"message": "hello"}, headers=headers).status_code


def test_nothing_is_set_at_first(admin_client: PageClient) -> None:
    told = admin_client.get(RATES).json
    nothing = dict.fromkeys(("messages", "downloads", "requests", "visits"))
    assert told["site"] == nothing  # type: ignore[index]
    assert told["groups"] == [{"group": {"id": DEFAULT_GROUP_ID, "name": "所有人"}, "rates": nothing}]  # type: ignore[index]
    assert told["usual"] == {  # type: ignore[index]
        "messages": {"amount": 10000, "seconds": 60},  # CHAT_RATE_LIMIT
        "downloads": {"amount": 60, "seconds": 3600},
        "requests": {"amount": 600, "seconds": 60},
        "visits": {"amount": 600, "seconds": 60},
    }


def test_what_comes_to_no_answer_is_counted_too(admin_client: PageClient, member_client: PageClient) -> None:
    """Else a browser could have bodies read without end that nobody can read."""
    put(admin_client, SITE, requests=THRICE)
    bad = [member_client.post("/api/chat", json={"message": 1}).status_code for _ in range(6)]
    assert bad == [422, 422, 422, 422, 429, 429]
    assert statuses(member_client, 1) == [429]


def test_what_is_asked_again_beyond_the_rate_is_counted_too(
    admin_client: PageClient, member_client: PageClient
) -> None:
    put(admin_client, SITE, messages={"amount": 1, "seconds": 60}, requests=TWICE)
    draft, headers = {"message": "hello", "idempotency_key": "k" * 20}, {"Accept": "application/json"}
    asked = [member_client.post("/api/chat", json=draft, headers=headers).status_code for _ in range(6)]
    assert asked == [200, 200, 200, 200, 429, 429]


def test_the_sites_rate_holds_at_once_for_each_person_apart(
    admin_client: PageClient, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    put(admin_client, SITE, requests=TWICE)
    assert statuses(member_client, 3) == [200, 200, 429]
    assert statuses(sign_in(make_user("another")), 1) == [200]
    refused = member_client.get(PAGE)
    assert error_code(refused) == "request_rate_limited"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    page = member_client.get("/dashboard", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert (page.status_code, "too fast" in page.text) == (429, True)
    put(admin_client, EVERYONE, requests=FREE)
    assert statuses(member_client, 5) == [200] * 5


def test_a_group_has_rates_of_its_own(
    admin_client: PageClient, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    club = group_service.add(Actor(None), Choices(name="Club")).group
    clubber = sign_in(make_user("clubber", group_id=club.id))
    put(admin_client, SITE, messages=TWICE)
    put(admin_client, f"{RATES}/groups/{club.id}", messages=THRICE)
    assert [asked(member_client) for _ in range(3)] == [200, 200, 429]
    assert [asked(clubber) for _ in range(4)] == [200, 200, 200, 429]
    put(admin_client, f"{RATES}/groups/{club.id}")
    assert asked(clubber) == 429, "as for the site again"


def test_downloads_are_counted_apart_from_other_requests(admin_client: PageClient, member_client: PageClient) -> None:
    put(admin_client, SITE, downloads=TWICE, requests=THRICE)
    assert statuses(member_client, 3, FILE) == [200, 200, 429]
    assert statuses(member_client, 4) == [200, 200, 200, 429]


def test_an_address_is_counted_where_nobody_is_signed_in(
    app: Flask, admin_client: PageClient, member_client: PageClient
) -> None:
    put(admin_client, SITE, visits=TWICE)
    stranger = new_client(app)
    assert statuses(stranger, 3, "/login") == [200, 200, 429]
    assert stranger.get("/login", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    assert stranger.get("/healthz").status_code == 200
    assert statuses(member_client, 4) == [200] * 4, "who is signed in is counted by person"


def test_changes_leave_a_trace_and_what_is_so_already_none(admin_client: PageClient) -> None:
    put(admin_client, SITE, messages=TWICE, visits=FREE)
    put(admin_client, SITE, messages=TWICE, visits=FREE)
    put(admin_client, EVERYONE, downloads=THRICE)
    put(admin_client, EVERYONE)
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        logged = [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]
    none = {"messages": None, "visits": None}
    some = {"messages": "2 per minute", "visits": "none"}
    there, gone = {"downloads": "3 per minute"}, {"downloads": None}
    assert logged == [
        ("rates.change", "site", {"before": none, "after": some}),
        ("rates.change", DEFAULT_GROUP_ID, {"name": "Everyone", "before": gone, "after": there}),
        ("rates.change", DEFAULT_GROUP_ID, {"name": "Everyone", "before": there, "after": gone}),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"messages": {"amount": 0, "seconds": 60}},
        {"messages": {"amount": 10_001, "seconds": 60}},
        {"messages": {"amount": 5, "seconds": 0}},
        {"messages": {"amount": 5, "seconds": 86_401}},
        {"messages": {"seconds": 60}},
        {"messages": 5},
        {"tokens": TWICE},
    ],
)
def test_a_rate_must_be_one(admin_client: PageClient, body: dict[str, Any]) -> None:
    assert admin_client.put(SITE, json=body).status_code == 422
    assert admin_client.get(RATES).json["site"]["messages"] is None  # type: ignore[index]


def test_a_group_has_no_rate_for_strangers(admin_client: PageClient) -> None:
    assert admin_client.put(EVERYONE, json={"visits": TWICE}).status_code == 422
    assert admin_client.put(f"{RATES}/groups/{'f' * 26}", json={}).status_code == 404


def test_only_administrators_see_and_set_rates(client: PageClient, member_client: PageClient) -> None:
    for each, status in ((client, 401), (member_client, 403)):
        assert each.get(RATES).status_code == status
        assert each.put(EVERYONE, json={}).status_code == status
        assert each.put(SITE, json={}).status_code == status


def test_a_request_reads_its_rates_with_its_session(
    admin_client: PageClient, member: User, member_client: PageClient, query_count: Any
) -> None:
    with query_count() as before:
        member_client.get(PAGE)
    put(admin_client, SITE, requests=THRICE)
    put(admin_client, EVERYONE, requests=TWICE)
    with query_count() as after:
        member_client.get(PAGE)
    assert len(after) == len(before)
