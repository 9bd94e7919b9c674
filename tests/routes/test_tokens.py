"""Personal access tokens: made, listed and revoked by their people, and by administrators."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import AccessToken, AuditEntry, User
from flask_app.services.tokens import token_service
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import ScriptedUpstream

TOKENS, EVERYBODYS = "/api/tokens", "/api/admin/tokens"


def acts() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("token."))).all()
    return [(entry.action, entry.actor_name, json.loads(entry.details)) for entry in found]


@pytest.mark.security("token-shown-once")
def test_a_token_is_shown_once_and_works(app: Flask, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    response = member_client.post(TOKENS, json={"name": " my editor ", "days": 30})
    assert response.status_code == 201
    token, secret = response.get_json()["token"], response.get_json()["secret"]
    assert (token["name"], token["state"], token["models"]) == ("my editor", "active", None)
    assert token["hint"] == secret[-4:]
    assert Program(app, secret).get("/v1/models").status_code == 200
    (listed,) = member_client.get(TOKENS).get_json()["tokens"]
    assert listed | {"last_used_at": None} == token
    assert listed["last_used_at"] is not None
    assert secret not in member_client.get(TOKENS).text + member_client.get("/tokens").text
    assert acts() == [("token.create", "member", {"days": 30, "models": None, "name": "my editor"})]


def test_for_ever_and_for_some_models(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    token = member_client.post(TOKENS, json={"name": "x", "models": ["deepseek-flash"]}).get_json()["token"]
    assert (token["expires_at"], token["models"]) == (None, ["deepseek-flash"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, "bad_label"),
        ({"name": "x" * 65}, "bad_label"),
        ({"name": "a\nb"}, "bad_label"),
        ({"days": 0}, "invalid_field"),
        ({"days": 4000}, "invalid_field"),
        ({"models": []}, "bad_token_models"),
        ({"models": ["gpt-0"]}, "unknown_model"),
        ({"user_id": "me"}, "invalid_field"),
    ],
)
def test_a_token_that_is_wanted_badly_is_not_made(
    member_client: PageClient, upstream: ScriptedUpstream, fields: dict[str, Any], code: str
) -> None:
    response = member_client.post(TOKENS, json={"name": "x"} | fields)
    assert (response.status_code, error_code(response)) == (422, code)
    assert member_client.get(TOKENS).get_json()["tokens"] == []


def test_there_is_a_most_and_those_that_ended_do_not_count(
    member: User, member_client: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_service, "MOST", 2)
    first, second = (member_client.post(TOKENS, json={"name": name}).get_json()["token"] for name in "ab")
    response = member_client.post(TOKENS, json={"name": "c"})
    assert (response.status_code, error_code(response)) == (409, "too_many_tokens")
    assert member_client.delete(f"{TOKENS}/{first['id']}").status_code == 204
    assert member_client.post(TOKENS, json={"name": "c"}).status_code == 201
    with transaction() as session:
        expired = utc_now() - timedelta(seconds=1)
        session.execute(update(AccessToken).where(AccessToken.id == second["id"]).values(expires_at=expired))
    assert member_client.post(TOKENS, json={"name": "d"}).status_code == 201


def test_a_session_that_has_ended_makes_none(member: User, sign_in: SignIn) -> None:
    client = sign_in(member)
    token = client.session_token
    client.post("/logout")
    assert token
    assert client.post(TOKENS, json={"name": "x"}).status_code == 401


def test_one_revokes_ones_own_and_no_others(
    app: Flask, member: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    token = made(member)
    stranger = sign_in(make_user("stranger"))
    assert stranger.delete(f"{TOKENS}/{token.token.id}").status_code == 404
    assert stranger.get(TOKENS).get_json()["tokens"] == []
    assert member_client.delete(f"{TOKENS}/{token.token.id}").status_code == 204
    assert member_client.delete(f"{TOKENS}/{token.token.id}").status_code == 404
    assert member_client.get(TOKENS).get_json()["tokens"] == []
    assert Program(app, token.secret).get("/v1/models").status_code == 401
    assert acts()[-1] == ("token.revoke", "member", {"name": "editor", "of": member.id})


def test_an_administrator_sees_and_revokes_everybodys(
    app: Flask, member: User, admin_client: PageClient, member_client: PageClient
) -> None:
    token = made(member)
    (listed,) = admin_client.get(EVERYBODYS).get_json()["tokens"]
    assert (listed["name"], listed["user"], listed["state"]) == (
        "editor",
        {"id": member.id, "username": "member"},
        "active",
    )
    assert admin_client.delete(f"{EVERYBODYS}/{token.token.id}").status_code == 204
    assert admin_client.get(EVERYBODYS).get_json()["tokens"][0]["state"] == "revoked"
    assert admin_client.delete(f"{EVERYBODYS}/{token.token.id}").status_code == 404
    assert admin_client.delete(f"{EVERYBODYS}/{new_id()}").status_code == 404
    assert Program(app, token.secret).get("/v1/models").status_code == 401
    assert acts()[-1] == ("token.revoke", "admin", {"name": "editor", "of": member.id})
    assert "editor" in admin_client.get("/admin/tokens").text


def test_everybodys_come_in_pages_of_equal_cost(member: User, admin_client: PageClient, query_count: Any) -> None:
    made(member)
    with query_count() as few:
        admin_client.get(EVERYBODYS)
    names = ["editor", *(made(member, f"token {number}").token.name for number in range(5))]
    with query_count() as many:
        page = admin_client.get(f"{EVERYBODYS}?limit=4").get_json()
    assert len(many) == len(few)
    rest = admin_client.get(f"{EVERYBODYS}?limit=4&before={page['next']}").get_json()
    assert [each["name"] for each in page["tokens"] + rest["tokens"]] == names[::-1]
    assert rest["next"] is None
    for wrong in ("limit=0", "limit=101", "before=x"):
        assert admin_client.get(f"{EVERYBODYS}?{wrong}").status_code == 400


def test_they_are_for_whoever_is_signed_in_and_everybodys_for_administrators(
    client: PageClient, member_client: PageClient
) -> None:
    assert client.get(TOKENS).status_code == client.post(TOKENS, json={"name": "x"}).status_code == 401
    assert client.get("/tokens").status_code == 302
    assert member_client.get(EVERYBODYS).status_code == member_client.get("/admin/tokens").status_code == 403


def test_the_page_shows_how_to_ask_at_this_address(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    page = member_client.get("/tokens").text
    assert "https://localhost/v1/chat/completions" in page
    assert "https://localhost/v1/messages" in page
    assert "export ANTHROPIC_BASE_URL=https://localhost\n" in page
    assert "deepseek-flash" in page


def test_a_rate_that_is_left_empty_is_said_to_be_its_persons_own(member_client: PageClient) -> None:
    page = member_client.get("/tokens", headers={"Accept-Language": "en"}).text
    fields = re.findall(r'name="(?:requests_per_minute|parallel_requests)"[^>]*placeholder="([^"]*)"', page)
    assert set(fields) == {"As for yourself"}
