"""Pages of other websites at the gateway: those that a token names, and no others, and never with a cookie."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from flask_app.database import reading, transaction, utc_now
from flask_app.models import AccessToken, AuditEntry, TokenOrigin, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Made
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import ScriptedUpstream, Status

APP, OTHER = "https://app.example.org", "https://other.example"
NAMES = "authorization, content-type, x-stainless-lang"
CALLS = ("/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/models", "/v1/messages/count_tokens")


@pytest.fixture
def token(member: User, upstream: ScriptedUpstream) -> Made:
    return made(member, origins=[APP])


def of_cors(response: TestResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers if name.lower().startswith("access-control-")}


def beforehand(app: Flask, origin: str, path: str = CALLS[0], names: str = NAMES) -> TestResponse:
    """What a browser asks before its page may."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": names}
    return app.test_client().options(path, headers=asked)


def path(token: Made) -> str:
    return f"/api/tokens/{token.token.id}/origins"


@pytest.mark.parametrize("call", CALLS)
def test_a_browser_hears_beforehand_that_a_page_may_ask(app: Flask, token: Made, call: str) -> None:
    response = beforehand(app, APP, call)
    assert response.status_code == 204
    assert of_cors(response) == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": NAMES,
        "Access-Control-Max-Age": "600",
    }
    assert "Origin" in response.headers["Vary"]


@pytest.mark.security("cors-without-cookies")
@pytest.mark.parametrize(
    "origin",
    [
        *(OTHER, "null", "*", "", f"{APP}.evil.example", f"{APP}:444", "http://app.example.org", f"{APP}/"),
        *("https://APP.example.org", "https://xapp.example.org", "é", f"{APP}' OR 1=1 --", f"{APP} {APP}", "x" * 4000),
    ],
)
def test_for_a_page_that_no_token_names_a_browser_hears_nothing(app: Flask, token: Made, origin: str) -> None:
    assert of_cors(beforehand(app, origin.encode().decode("latin-1"))) == {}


def test_names_of_headers_that_are_none_are_not_said_back(app: Flask, token: Made) -> None:
    for names in ("a, b\x7f", "<script>", "x" * 3000, ", ".join(["x-name"] * 400)):
        assert "Access-Control-Allow-Headers" not in of_cors(beforehand(app, APP, names=names))


@pytest.mark.parametrize("end", ["expires_at", "revoked_at", "disabled", "revoke", "changed"])
def test_a_token_that_has_ended_names_nothing(
    app: Flask, member: User, member_client: PageClient, token: Made, end: str
) -> None:
    assert of_cors(beforehand(app, APP))
    if end == "revoke":
        token_service.revoke_own(Actor(member), token.token.id)
        with reading() as session:
            assert session.scalars(select(TokenOrigin)).all() == []
    elif end == "changed":
        assert member_client.put(path(token), json={"origins": [OTHER]}).status_code == 200
    else:
        with transaction() as session:
            if end == "disabled":
                session.execute(update(User).where(User.id == member.id).values(disabled=True))
            else:
                session.execute(update(AccessToken).values({end: utc_now() - timedelta(seconds=1)}))
    assert of_cors(beforehand(app, APP)) == {}


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_is_shown_to_a_page_that_its_own_token_names(app: Flask, token: Made, stream: bool) -> None:
    program = Program(app, token.secret)
    program.headers["Origin"] = APP
    response = program.complete(stream=stream)
    assert response.status_code == 200
    shown = of_cors(response)
    assert shown.pop("Access-Control-Allow-Origin") == APP
    exposed = shown.pop("Access-Control-Expose-Headers").split(", ")
    assert {"x-request-id", "retry-after", "x-ratelimit-remaining-requests", "idempotent-replayed"} <= set(exposed)
    assert shown == {}, "never with credentials"
    assert "Origin" in response.headers["Vary"]


def test_a_failure_is_shown_too(app: Flask, token: Made, upstream: ScriptedUpstream) -> None:
    program = Program(app, token.secret)
    program.headers["Origin"] = APP
    upstream.script(Status(400))
    for response in (program.complete(), program.complete(model="gpt-0"), program.get("/v1/nothing"), program.embed(7)):
        assert response.status_code >= 400
        assert of_cors(response)["Access-Control-Allow-Origin"] == APP


@pytest.mark.security("cors-without-cookies")
def test_another_tokens_page_is_shown_nothing(app: Flask, member: User, token: Made) -> None:
    """Its browser heard that it may ask: some token names it. This one does not."""
    plain, named = Program(app, made(member, "plain").secret), Program(app, token.secret)
    plain.headers["Origin"], named.headers["Origin"] = APP, OTHER
    for program in (plain, named):
        response = program.complete()
        assert response.status_code == 200, "a program that is no browser may send what it likes"
        assert of_cors(response) == {}
    named.headers.pop("Origin")
    assert of_cors(named.complete()) == {}


def test_without_a_token_nothing_is_shown(app: Flask, token: Made, member_client: PageClient) -> None:
    headers = {"Origin": APP}
    assert of_cors(app.test_client().get("/v1/models", headers=headers)) == {}
    assert of_cors(Program(app, "sk-" + "0" * 48).get("/v1/models", Origin=APP)) == {}
    assert of_cors(member_client.get("/v1/models", headers=headers)) == {}, "a session is none"


@pytest.mark.security("cors-without-cookies")
def test_no_other_address_of_the_site_is_shown(app: Flask, token: Made, member_client: PageClient) -> None:
    for address in ("/api/me", "/api/tokens", "/", "/healthz"):
        assert of_cors(beforehand(app, APP, address)) == {}
        assert of_cors(member_client.get(address, headers={"Origin": APP})) == {}
    reply = app.test_client().get("/api/me", headers={"Origin": APP, "Authorization": f"Bearer {token.secret}"})
    assert (reply.status_code, of_cors(reply)) == (401, {})


def test_it_costs_no_query(app: Flask, token: Made, query_count: Any) -> None:
    program = Program(app, token.secret)
    program.get("/v1/models")
    with query_count() as without:
        program.get("/v1/models")
    with query_count() as with_origin:
        assert of_cors(program.get("/v1/models", Origin=APP))
    assert len(with_origin) == len(without)


def test_a_person_names_them_and_takes_them_away(member_client: PageClient, token: Made) -> None:
    typed = [" HTTPS://App.Example.org:443/ ", "http://localhost:5173", "app://obsidian.md", "http://[::1]:8080", APP]
    response = member_client.put(path(token), json={"origins": typed})
    wanted = ["app://obsidian.md", "http://[::1]:8080", "http://localhost:5173", APP]
    assert (response.status_code, response.get_json()) == (200, {"origins": wanted})
    (listed,) = member_client.get("/api/tokens").get_json()["tokens"]
    assert listed["origins"] == wanted
    assert member_client.put(path(token), json={"origins": wanted}).status_code == 200
    assert member_client.put(path(token), json={"origins": []}).get_json() == {"origins": []}
    with reading() as session:
        acts = session.scalars(select(AuditEntry).where(AuditEntry.action == "token.origins").order_by(AuditEntry.id))
        told = [json.loads(act.details) for act in acts]
    assert told == [
        {"name": "editor", "before": {"origins": [APP]}, "after": {"origins": wanted}},
        {"name": "editor", "before": {"origins": wanted}, "after": {"origins": []}},
    ]


def test_a_token_may_be_made_with_them(member_client: PageClient, admin_client: PageClient) -> None:
    response = member_client.post("/api/tokens", json={"name": "page", "origins": [APP]})
    assert response.get_json()["token"]["origins"] == [APP]
    (shown,) = admin_client.get("/api/admin/tokens").get_json()["tokens"]
    assert shown["origins"] == [APP]


@pytest.mark.parametrize(
    ("origins", "code"),
    [
        (["*"], "bad_origin"),
        (["null"], "bad_origin"),
        ([""], "bad_origin"),
        ([f"{APP}/path"], "bad_origin"),
        (["app.example.org"], "bad_origin"),
        (["https://*.example.org"], "bad_origin"),
        (["https://user@app.example.org"], "bad_origin"),
        (["https://app.example.org:0"], "bad_origin"),
        (["https://bücher.example"], "bad_origin"),
        ([f"https://{'a' * 254}"], "bad_origin"),
        ([f"https://{number}.example" for number in range(11)], "too_many_origins"),
        (["https://a.example"] * 41, "invalid_field"),
        (APP, "invalid_field"),
    ],
)
def test_what_is_no_origin_is_refused(member_client: PageClient, token: Made, origins: Any, code: str) -> None:
    response = member_client.put(path(token), json={"origins": origins})
    assert (response.status_code, error_code(response)) == (422, code)
    assert member_client.get("/api/tokens").get_json()["tokens"][0]["origins"] == [APP]
    assert member_client.post("/api/tokens", json={"name": "x", "origins": origins}).status_code == 422


def test_only_its_person_names_them(app: Flask, admin_client: PageClient, token: Made) -> None:
    for wrong in (path(token), "/api/tokens/nothing/origins"):
        assert admin_client.put(wrong, json={"origins": []}).status_code == 404
    assert new_client(app).put(path(token), json={"origins": []}).status_code in {401, 403}
    with reading() as session:
        assert session.scalars(select(TokenOrigin.origin)).all() == [APP]


def test_the_list_of_tokens_asks_as_often_whatever_they_name(
    member: User, member_client: PageClient, token: Made, query_count: Any
) -> None:
    with query_count() as one:
        member_client.get("/api/tokens")
    for number in range(5):
        made(member, f"token {number}", origins=[APP, OTHER])
    with query_count() as many:
        assert len(member_client.get("/api/tokens").get_json()["tokens"]) == 6
    assert len(many) == len(one)
