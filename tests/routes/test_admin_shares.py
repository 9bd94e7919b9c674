"""Everybody's links, and who may open them: the administrators' part."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading
from flask_app.models import AuditEntry, Conversation, User
from tests.support import sharing, talks
from tests.support.clients import PageClient
from tests.support.entrance import error_code

EVERYBODYS, SETTING = "/api/admin/shares", "/api/admin/settings/sharing"


@pytest.fixture
def talk(member: User) -> Conversation:
    return talks.branched(member)


def acts() -> list[tuple[str, str, Any]]:
    query = select(AuditEntry).where(AuditEntry.action.startswith("shar")).order_by(AuditEntry.created_at)
    with reading() as session:
        return [(each.action, each.actor_name, json.loads(each.details)) for each in session.scalars(query)]


def test_an_administrator_sees_whose_they_are_and_ends_them(
    member: User, talk: Conversation, admin_client: PageClient, client: PageClient, member_client: PageClient
) -> None:
    sharing.switch("anybody")
    made = sharing.share(member_client, talk.id)
    listed = admin_client.get(EVERYBODYS).json
    assert listed == {
        "shares": [
            {
                "id": made["id"],
                "user": {"id": member.id, "username": "member"},
                "opened": 0,
                "audience": "anybody",
                "created_at": made["created_at"],
                "expires_at": made["expires_at"],
            }
        ],
        "next": None,
    }
    assert made["id"] in admin_client.get("/admin/shares").text
    assert admin_client.delete(f"{EVERYBODYS}/{made['id']}").status_code == 204
    assert client.get(made["path"]).status_code == 404
    assert admin_client.get(EVERYBODYS).json == {"shares": [], "next": None}
    assert acts()[-1] == ("share.end", "admin", {"username": "member"})
    for share_id in (made["id"], new_id(), "x"):
        assert admin_client.delete(f"{EVERYBODYS}/{share_id}").status_code == 404


@pytest.mark.security("share-own")
def test_neither_words_nor_links_are_told_to_administrators(
    app: Flask, member_client: PageClient, talk: Conversation, admin_client: PageClient
) -> None:
    sharing.switch("anybody")
    token = sharing.share(member_client, talk.id)["path"].removeprefix("/s/")
    listed = app.test_cli_runner().invoke(args=["shares", "list"]).output
    for told in (admin_client.get(EVERYBODYS).text, admin_client.get("/admin/shares").text, listed):
        assert "member" in told
        assert "一段谈话" not in told, "a title is the first words"
        assert "And then?" not in told
        assert token not in told


def test_they_come_in_pages_of_equal_cost(
    member: User, talk: Conversation, admin_client: PageClient, query_count: Any
) -> None:
    kept = [sharing.keep(member, talk.id).id]
    with query_count() as few:
        admin_client.get(EVERYBODYS)
    kept += [sharing.keep(member, talk.id).id for _ in range(5)]
    with query_count() as many:
        page = admin_client.get(f"{EVERYBODYS}?limit=4").get_json()
    assert len(many) == len(few)
    rest = admin_client.get(f"{EVERYBODYS}?limit=4&before={page['next']}").get_json()
    assert [each["id"] for each in page["shares"] + rest["shares"]] == sorted(kept, reverse=True)
    assert rest["next"] is None
    for wrong in ("limit=0", "limit=101", "before=x"):
        assert admin_client.get(f"{EVERYBODYS}?{wrong}").status_code == 400


def test_who_opens_links_is_a_setting(admin_client: PageClient) -> None:
    assert admin_client.get("/api/admin/settings").json["sharing"] == "off", "until somebody says otherwise"  # type: ignore[index]
    for mode in ("people", "anybody", "anybody", "off"):
        assert admin_client.put(SETTING, json={"mode": mode}).json == {"mode": mode}
        assert admin_client.get("/api/admin/settings").json["sharing"] == mode  # type: ignore[index]
    assert [details["after"]["mode"] for _, _, details in acts()] == ["people", "anybody", "off"], "what has changed"
    refused = admin_client.put(SETTING, json={"mode": "everybody"})
    assert (refused.status_code, error_code(refused)) == (422, "unknown_sharing")
    for body in ({}, {"mode": None}, {"mode": "off", "more": 1}, {"mode": "x" * 20}):
        assert admin_client.put(SETTING, json=body).status_code in {400, 422}


@pytest.mark.parametrize("role", [None, "member"])
def test_others_neither_see_nor_change_them(
    app: Flask, client: PageClient, member_client: PageClient, role: str | None
) -> None:
    asker, status = (member_client, 403) if role else (client, 401)
    assert asker.get(EVERYBODYS).status_code == status
    assert asker.delete(f"{EVERYBODYS}/x").status_code == status
    assert asker.put(SETTING, json={"mode": "anybody"}).status_code == status
