"""Invitations: made, listed and revoked by administrators; /api/join and its check for whoever has a link."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading, utc_now
from flask_app.i18n import LOCALES, translate
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, User
from tests.support import invited
from tests.support.clients import SESSION_COOKIE, PageClient, new_client
from tests.support.entrance import STRONG, error_code, stored
from tests.support.together import at_once

URL = "/api/admin/invitations"
CLASS = {"name": " Class 3b ", "most": 30, "days": 7}


def make(client: PageClient, **fields: Any) -> Any:
    response = client.post(URL, json=CLASS | fields)
    assert response.status_code == 201, response.text
    return response.json


def join(client: PageClient, token: str, username: str = "new", password: str = STRONG, **told: str) -> Any:
    return client.post("/api/join", json={"token": token, "username": username, "password": password} | told)


def test_an_invitation_is_made_used_listed_and_revoked(
    admin_client: PageClient, client: PageClient, app: Flask
) -> None:
    group = admin_client.post("/api/admin/groups", json={"name": "Readers"}).json
    assert group
    made = make(admin_client, group_id=group["id"])
    invitation = made["invitation"]
    assert invitation == invitation | {"name": "Class 3b", "most": 30, "used": 0, "state": "open", "by": "admin"}
    assert invitation["group"] == {"id": group["id"], "name": "Readers"}
    assert join(client, made["token"], "小红").status_code == 201
    (listed,) = admin_client.get(URL).get_json()["invitations"]
    assert listed == invitation | {"used": 1}
    (person, _) = admin_client.get("/api/admin/users").get_json()["users"]
    assert (person["username"], person["role"], person["group"]["id"]) == ("小红", "member", group["id"])
    for _ in range(2):
        revoked = admin_client.delete(f"{URL}/{invitation['id']}")
        assert revoked.json == listed | {"state": "revoked"}
    late = join(new_client(app), made["token"], "late")
    assert (late.status_code, error_code(late)) == (403, "invitation_revoked")


def test_one_person_in_the_default_group_for_a_week_is_the_usual(admin_client: PageClient) -> None:
    made = admin_client.post(URL, json={"name": "For Li Lei"}).json
    assert made
    assert made["invitation"]["most"] == 1
    assert made["invitation"]["group"]["id"] == DEFAULT_GROUP_ID
    with reading() as session:
        invitation = invited.listed(made["invitation"]["id"]).invitation
        assert invitation.expires_at - invitation.created_at == timedelta(days=7)
        assert abs(utc_now() - invitation.created_at) < timedelta(minutes=1)
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "invitation.make")).one()
    assert entry.target == made["invitation"]["id"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"name": " "}, 422, "bad_label"),
        ({"name": "x" * 65}, 422, "bad_label"),
        ({"name": "two\nlines"}, 422, "bad_label"),
        ({"name": 5}, 422, "invalid_field"),
        ({"most": 0}, 422, "invalid_field"),
        ({"most": 501}, 422, "invalid_field"),
        ({"most": "many"}, 422, "invalid_field"),
        ({"days": 0}, 422, "invalid_field"),
        ({"days": 31}, 422, "invalid_field"),
        ({"group_id": "nowhere"}, 422, "unknown_group"),
        ({"role": "admin"}, 422, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: PageClient, fields: dict[str, Any], status: int, code: str
) -> None:
    refused = admin_client.post(URL, json=CLASS | fields)
    assert (refused.status_code, error_code(refused)) == (status, code)
    assert admin_client.get(URL).json == {"invitations": [], "next": None}


def test_only_administrators_make_and_see_them(client: PageClient, member_client: PageClient) -> None:
    there = invited.made().listed.invitation.id
    for asker, status in ((client, 401), (member_client, 403)):
        assert asker.get(URL).status_code == status
        assert asker.post(URL, json=CLASS).status_code == status
        assert asker.delete(f"{URL}/{there}").status_code == status
    assert invited.listed(there).state == "open"


def test_one_that_is_not_there_is_not_found(admin_client: PageClient) -> None:
    for absent in (new_id(), "x", "中"):
        assert admin_client.delete(f"{URL}/{absent}").status_code == 404


def test_they_are_listed_the_newest_first_by_pages(admin_client: PageClient) -> None:
    names = [make(admin_client, name=f"Class {number}")["invitation"]["name"] for number in range(5)]
    first = admin_client.get(f"{URL}?limit=3").json
    assert first
    second = admin_client.get(f"{URL}?limit=3&before={first['next']}").json
    assert second
    shown = [each["name"] for each in first["invitations"] + second["invitations"]]
    assert sorted(shown) == sorted(names)
    assert (len(first["invitations"]), second["next"]) == (3, None)
    for query in ("limit=0", "limit=101", "before=%27"):
        assert admin_client.get(f"{URL}?{query}").status_code == 400


@pytest.mark.parametrize("path", [URL, "/admin/users"])
def test_the_number_of_queries_does_not_grow(
    admin_client: PageClient, query_count: Callable[[], Any], path: str
) -> None:
    make(admin_client)
    with query_count() as few:
        admin_client.get(path)
    for number in range(20):
        make(admin_client, name=f"Class {number}")
    with query_count() as many:
        assert "Class 19" in admin_client.get(path).text
    assert few
    assert len(many) == len(few)


def test_the_page_of_people_starts_with_them(admin_client: PageClient) -> None:
    token = make(admin_client)["token"]
    page = admin_client.get("/admin/users").text
    assert "Class 3b" in page
    assert token not in page


def test_the_page_of_a_link_needs_no_sign_in_and_tells_who_is(client: PageClient, member_client: PageClient) -> None:
    assert client.get("/join").status_code == 200
    assert "signed in as member" not in client.get("/join", headers={"Accept-Language": "en"}).text
    assert "signed in as member" in member_client.get("/join", headers={"Accept-Language": "en"}).text


def test_a_link_says_what_it_is_called_and_stays_open(client: PageClient) -> None:
    made = invited.made()
    for _ in range(12):
        told = client.post("/api/join/check", json={"token": made.token})
        assert told.json is not None
        assert set(told.json) == {"name", "expires_at"}
        assert told.json["name"] == "Class 3b"
    assert join(client, made.token).status_code == 201


def test_a_code_that_is_typed_leads_in_as_the_link_does(client: PageClient) -> None:
    typed = invited.made().token.replace("-", " ").lower()
    told = client.post("/api/join/check", json={"token": typed})
    assert told.json is not None
    assert told.json["name"] == "Class 3b"
    assert join(client, typed).status_code == 201


def test_the_page_of_signing_in_leads_to_where_a_code_is_typed(client: PageClient, admin: User) -> None:
    assert 'href="/join"' in client.get("/login").text
    assert "data-typed-code" in client.get("/join").text


def test_whoever_comes_in_is_signed_in_with_what_the_browser_tells(client: PageClient) -> None:
    token = invited.made().token
    response = join(client, token, "小红", timezone="Europe/Berlin", theme="dark", locale="ja")
    assert response.json["user"]["username"] == "小红"
    assert client.get("/api/me").json == response.json
    with reading() as session:
        user = session.scalars(select(User)).one()
    assert (user.timezone, user.theme, user.locale, user.role) == ("Europe/Berlin", "dark", "ja", "member")
    client.csrf_token = response.json["csrf_token"]
    assert client.patch("/api/me", json={"theme": "light"}).status_code == 200
    assert client.get("/api/admin/users").status_code == 403


def test_the_session_that_the_browser_had_before_ends(app: Flask, member_client: PageClient, member: User) -> None:
    before = member_client.session_token
    assert join(member_client, invited.made().token).status_code == 201
    left_over = new_client(app)
    left_over.set_cookie(SESSION_COOKIE, before, secure=True)
    assert left_over.get("/api/me").status_code == 401
    assert stored(member).username == "member"


def test_of_two_who_use_an_invitation_for_one_at_once_one_comes_in(app: Flask) -> None:
    token = invited.made().token
    statuses = at_once(2, lambda number: join(new_client(app), token, f"person {number}").status_code)
    assert sorted(statuses, key=str) == [201, 403]
    with reading() as session:
        assert len(session.scalars(select(User)).all()) == 1


def test_a_name_that_is_taken_is_told_and_uses_nothing(client: PageClient, member: User) -> None:
    token = invited.made().token
    refused = join(client, token, "ＭＥＭＢＥＲ")
    assert (refused.status_code, error_code(refused)) == (409, "username_taken")
    assert join(client, token, "somebody else").status_code == 201


@pytest.mark.parametrize(("language", "words"), [("en", "administrator"), ("zh", "管理员"), ("ja", "管理者")])
def test_a_wrong_link_says_whom_to_ask(client: PageClient, language: str, words: str) -> None:
    headers = {"Accept-Language": language}
    for path, more in (("/api/join", {"username": "new", "password": STRONG}), ("/api/join/check", {})):
        refused = client.post(path, json={"token": "never made", **more}, headers=headers)
        assert (refused.status_code, error_code(refused)) == (403, "invitation_unknown")
        assert refused.json
        assert words in refused.json["error"]["message"]


def test_guesses_at_links_are_limited(client: PageClient) -> None:
    statuses = [join(client, f"guess {number}").status_code for number in range(61)]
    assert statuses == [403] * 60 + [429]
    assert client.post("/api/join/check", json={"token": invited.made().token}).status_code == 429


@pytest.mark.parametrize(
    "body",
    [
        *({}, {"token": None}, {"token": "x"}, {"token": "x" * 1001, "username": "a", "password": STRONG}),
        {"token": "x", "username": "a", "password": STRONG, "role": "admin"},
        {"token": "x", "username": "a", "password": STRONG, "group_id": "y"},
    ],
)
def test_a_body_that_is_not_as_expected_is_refused(client: PageClient, body: dict[str, Any]) -> None:
    assert client.post("/api/join", json=body).status_code == 422


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("why", ["used_up", "revoked", "expired"])
def test_who_typed_a_code_is_told_of_no_link(locale: str, why: str) -> None:
    said = translate(locale, f"error.invitation_{why}").lower()
    assert not [word for word in ("link", "链接", "連結", "リンク") if word in said]
