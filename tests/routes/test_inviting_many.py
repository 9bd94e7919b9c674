"""Many people invited by a list: what comes back, who may, and what is refused."""

import csv
import io
from typing import Any

import pytest
from flask import Flask

from tests.support import managing
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code

URL = "/api/admin/invitations/many"


def made(client: PageClient) -> Any:
    return client.get("/api/admin/invitations").get_json()["invitations"]


def test_links_come_back_once_as_a_list_and_as_a_table(admin_client: PageClient, app: Flask) -> None:
    people = "name;email\n李雷;li@example.org\n=1+1;\n"
    reply = admin_client.post(URL, json={"people": people, "days": 1}, headers={"Accept-Language": "en"})
    assert reply.status_code == 201
    first, second = reply.get_json()["invitations"]
    assert first["invitation"] == first["invitation"] | {"name": "李雷", "most": 1, "state": "open", "by": "admin"}
    text = reply.get_json()["file"]
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    link, code = f"https://localhost/join#{first['token']}", first["token"]
    ends = rows[0].pop("expires_at")
    assert rows[0] == {"name": "李雷", "email": "li@example.org", "group": "Everyone", "link": link, "code": code}
    assert ends.startswith(first["invitation"]["expires_at"][:19])
    assert rows[1]["name"] == "'=1+1", "no formula"
    assert {each["name"] for each in made(admin_client)} == {"李雷", "=1+1"}
    assert first["token"] not in admin_client.get("/api/admin/invitations").text
    for each in (first, second):
        joining = {"token": each["token"], "username": each["token"], "password": STRONG}
        assert new_client(app).post("/api/join", json=joining).status_code == 201


@pytest.mark.parametrize(("language", "words"), [("en", "Line 2: "), ("zh", "第 2 行："), ("ja", "2 行目：")])
def test_mistakes_are_told_with_their_lines(admin_client: PageClient, language: str, words: str) -> None:
    refused = admin_client.post(URL, json={"people": "a\nb,c,d"}, headers={"Accept-Language": language})
    assert (refused.status_code, error_code(refused)) == (422, "invitation_list_refused")
    error = refused.get_json()["error"]
    assert [(each["line"], each["code"]) for each in error["params"]["mistakes"]] == [
        (2, "bad_email"),
        (2, "invitation_group_unknown"),
    ]
    assert error["message"].count(words) == 2
    assert made(admin_client) == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"people": " "}, "invitation_list_empty"),
        ({"people": "x\n" * 501}, "invitation_list_too_long"),
        ({"people": "x" * 200_001}, "invalid_field"),
        ({"people": 5}, "invalid_field"),
        ({}, "invalid_field"),
        ({"people": "x", "days": 31}, "invalid_field"),
        ({"people": "x", "group_id": "nowhere"}, "unknown_group"),
        ({"people": "x", "most": 2}, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused(admin_client: PageClient, fields: dict[str, Any], code: str) -> None:
    refused = admin_client.post(URL, json=fields)
    assert (refused.status_code, error_code(refused)) == (422, code)
    assert made(admin_client) == []


def test_only_administrators_may(
    client: PageClient, member_client: PageClient, admin_client: PageClient, app: Flask
) -> None:
    body = {"people": "Li Lei"}
    assert client.post(URL, json=body).status_code == 401
    assert member_client.post(URL, json=body).status_code == 403
    managing.group("Class 3b", "member")
    assert member_client.post(URL, json=body).status_code == 403, "who manages a group invites into it alone"
    assert made(admin_client) == []
