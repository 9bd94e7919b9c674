"""Every route × who asks × whose thing it is. The table is made from the routes, so a new one is in it."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from flask_app.database import new_id
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import word_log
from flask_app.services.secrets.signing import digest
from flask_app.services.site import rate_admin_service
from flask_app.web import csrf
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import (
    assisted,
    called,
    devices,
    files,
    gateway,
    identities,
    managing,
    passkeys,
    prompted,
    routes,
    sharing,
)
from tests.support.clients import PageClient, new_client
from tests.support.events import events_of
from tests.support.odd_words import ODD_WORDS
from tests.support.routes import Route
from tests.support.scripted_upstream import Answer, ScriptedUpstream

# What a person owns, by the name of the route's argument; anything else belongs to the site.
OWNED = {"conversation_id", "folder_id", "run_id", "message_id", "user_message_id", "session_id", "token_id"}
OWNED |= {"program_request_id", "passkey_id", "identity_id", "managed_id", "device_id", "share_id", "prompt_id"}
OWNED |= {"assistant_id", "file_id", "call_id"}
OF_THE_SITE = {"budget_id", "key_id", "provider_id", "model_id", "tariff_id", "user_id", "group_id", "record_id"}
OF_THE_SITE |= {"digest", "name", "batch_id", "code_id", "reconciliation_id", "access_token_id", "invitation_id"}
OF_THE_SITE |= {"announcement_id", "registration_id", "identity_provider_id", "directory_id", "tool_server_id", "slug"}
# A link is for whoever has it.
OF_THE_SITE |= {"shared_prompt_id", "shared_assistant_id", "anybodys_share_id", "share_token"}
# These have tests of their own: they begin or end sessions.
APART = {
    *("GET /setup", "POST /logout", "POST /api/login", "POST /api/setup"),
    *("POST /api/password-reset", "POST /api/password-reset/check", "POST /api/login/second-step"),
    *("POST /api/login/passkey", "POST /api/login/passkey/options"),
    *("POST /api/login/identity", "POST /api/login/identity/finish"),
    *("POST /api/join", "POST /api/join/check", "POST /api/register", "POST /api/register/confirm"),
}


# Which routes a role reaches, by what they say of themselves.
# A group that somebody does not manage is not there: that is no refusal, and is tested as what somebody owns.
MAY = {"member": {"login", "manager"}, "admin": {"login", "manager", "admin"}}
MAY |= {"owner": MAY["admin"] | {"owner"}, "manager": MAY["member"]}
REFUSALS = {"sign_in_required", "forbidden", "invalid_api_key"}
MESSAGE_REFUSALS = {"authentication_error": "invalid_api_key"}  # of a failure in Anthropic's shape


def somebody(make_user: MakeUser, name: str, role: str) -> User:
    """A manager is a member by role, who has a group of their own."""
    person = make_user(name, "member" if role == "manager" else role)
    if role == "manager":
        managing.member(managing.group(f"the group of {name}", name))
    return person


def ask(client: PageClient, route: Route, *, password: str | None = None, **values: str) -> Any:
    """With the right `password`, where the route asks for one."""
    body = route.body()
    if body and password and "password" in body:
        body["password"] = password
    response = client.open(route.path(**values), method=route.method, **({} if body is None else {"json": body}))
    client.csrf_token = response.headers.get(csrf.HEADER, client.csrf_token)
    return response


def refused(response: Any) -> str | None:
    """Why the asker was not let in; None when the view itself answered."""
    if response.status_code in {401, 403} and response.is_json:
        error = response.json["error"]
        code = error["code"] if "code" in error else MESSAGE_REFUSALS.get(error["type"])
        return code if code in REFUSALS else None
    if response.status_code == 302 and response.location.startswith("/login"):
        return "sign_in_required"
    return "forbidden" if response.status_code == 403 else None


def expected(route: Route, role: str | None) -> str | None:
    if route.access == "token":
        return "invalid_api_key"  # whoever is signed in
    if route.access == "public" or route.access in MAY.get(role or "", ()):
        return None
    return "forbidden" if role else "sign_in_required"


@pytest.mark.security("route-has-rule", "every-route-by-owner")
@pytest.mark.parametrize("role", [None, "member", "manager", "admin", "owner"])
def test_each_role_reaches_what_it_may_and_nothing_else(
    app: Flask, client: PageClient, make_user: MakeUser, sign_in: SignIn, role: str | None
) -> None:
    make_user("the administrator", "admin")
    asker = sign_in(somebody(make_user, "asker", role)) if role else client
    cells = {str(route): route for route in routes.all_of(app) if str(route) not in APART}
    assert len(cells) > 20
    for name, route in cells.items():
        response = ask(asker, route)
        assert refused(response) == expected(route, role), (role, name, response.status_code)
        assert response.status_code < 500, (role, name)


def test_asking_for_the_head_is_asking(app: Flask, client: PageClient, admin: User) -> None:
    for route in routes.all_of(app):
        if route.method == "GET" and route.access != "public":
            head = client.head(route.path())
            assert (head.status_code in {302, 401}, head.data) == (True, b""), str(route)


def test_every_argument_of_a_route_is_accounted_for(app: Flask) -> None:
    assert {name for route in routes.all_of(app) for name in route.arguments} <= OWNED | OF_THE_SITE


def belongings(client: PageClient, another: PageClient) -> dict[str, str]:
    """What the owner has made with `client`, and the session of another browser of theirs."""
    with client.post("/api/chat", json={"message": "mine"}) as response:  # a reader who stays counts
        started = events_of(response.data)[0].data
    made = client.post("/api/tokens", json={"name": "mine"}).json["token"]["id"]  # type: ignore[index]
    folder = client.post("/api/folders", json={"name": "mine"}).json["id"]  # type: ignore[index]
    assert client.put(f"/api/tokens/{made}/words", json={"hours": 1}).status_code == 200
    owner = (person := client.get("/api/me").json["user"])["id"]  # type: ignore[index]
    word_log.keep(request := new_id(), owner, made, b"{}", None)
    managed = managing.group(new_id(), person["username"])
    ids = {"session_id": digest(another.session_token), "token_id": made, "folder_id": folder}
    ids |= {"program_request_id": request, "passkey_id": passkeys.keep(owner), "managed_id": managed}
    ids |= {"identity_id": identities.link_somebody(owner).id, "device_id": devices.keep(owner)}
    sharing.switch("anybody")
    ids |= {"share_id": sharing.kept(owner, started["conversation_id"]), "prompt_id": prompted.keep(client)}
    ids |= {"assistant_id": assisted.keep(client, files=[files.kept(client, b"known")["id"]])["id"]}
    ids |= {"file_id": files.kept(client, b"mine")["id"], "call_id": called.waiting(started)}
    others = {"user_id": managing.supervised(managed).id, "invitation_id": managing.invitation(managed)}
    return {**{name: started[name] for name in OWNED - ids.keys()}, **ids, **others}


def told(response: Any) -> tuple[int, str, str]:
    """The answer without what differs from request to request: status, type, body."""
    own = {
        response.headers["X-Request-ID"],
        *re.findall(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"]),
    }
    body = response.get_data(as_text=True)
    for word in own:
        body = body.replace(word, "")
    return response.status_code, response.mimetype, body


@pytest.mark.security("foreign-is-absent", "every-route-by-owner")
@pytest.mark.each_case
@pytest.mark.parametrize("role", ["member", "manager", "admin", "owner"])
def test_a_foreign_thing_looks_exactly_like_an_absent_one(
    app: Flask, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream, role: str
) -> None:
    upstream.default = Answer("cut", finish_reason="length")  # so that its owner can have it continued
    person = make_user("owner")
    owner, stranger = sign_in(person), sign_in(somebody(make_user, "stranger", role))
    owned = [route for route in routes.all_of(app) if route.arguments & OWNED]
    assert len(owned) >= 6
    for route in owned:
        things = belongings(owner, sign_in(person))
        foreign = ask(stranger, route, password=PASSWORD, **things)
        absent = ask(stranger, route, password=PASSWORD, **dict.fromkeys(OWNED, new_id()))
        assert foreign.status_code == 404, str(route)
        assert told(foreign) == told(absent), str(route)
        reached = ask(owner, route, password=PASSWORD, **things)
        assert reached.status_code < 400, f"{route}: the owner must reach it"
        owner.delete(f"/api/tokens/{things['token_id']}")  # one has 50 at most


@pytest.mark.security("foreign-is-absent")
def test_whether_a_thing_of_the_site_exists_is_not_told_to_members(
    app: Flask, member: User, admin: User, member_client: PageClient
) -> None:
    for route in routes.all_of(app):
        if route.access in {"admin", "owner"} and route.arguments:
            there = ask(member_client, route, user_id=admin.id, key_id="environment")
            absent = ask(member_client, route, user_id=new_id(), key_id=new_id())
            assert told(there) == told(absent)
            assert there.status_code == 403


@pytest.mark.security("identity-headers")
@pytest.mark.parametrize("header", ["X-User-Id", "X-Forwarded-User", "Remote-User", "X-Auth-User", "X-Role"])
def test_a_header_makes_nobody_somebody(client: PageClient, admin: User, header: str) -> None:
    for value in (admin.id, admin.username, "admin"):
        assert client.get("/api/me", headers={header: value}).status_code == 401


@pytest.mark.parametrize("bearer", ["", "'", "' OR 1=1 --", "x" * 4000, "{}", "é"])
def test_a_bearer_value_signs_nobody_in(client: PageClient, admin: User, bearer: str) -> None:
    assert client.get("/api/me", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401


@pytest.mark.security("token-opens-the-gateway")
def test_a_token_reaches_the_gateway_and_nothing_else(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    client, reached = new_client(app), set()
    bearer = {"Authorization": f"Bearer {gateway.made(member).secret}"}
    for route in routes.all_of(app):
        if route.access == "public":
            continue
        body = route.body()
        response = client.open(
            route.path(name="deepseek-flash"),
            method=route.method,
            headers=bearer,
            **({} if body is None else {"json": body}),
        )
        if refused(response) is None:
            reached.add(str(route))
    assert reached == {str(route) for route in routes.all_of(app) if route.access == "token"}


@pytest.mark.security("fields-named", "own-role")
def test_no_route_takes_a_field_it_does_not_name(
    app: Flask, member_client: PageClient, owner_client: PageClient
) -> None:
    """Every column of the people's table, sent to every route that takes a body."""
    rate_admin_service.set_site(Actor(None), {"requests": None})  # many in one minute
    tried, managed = 0, managing.group("a group", "member")
    for route in routes.all_of(app):
        body = route.body()
        if body is None or str(route) in APART or route.access == "token":
            continue
        named = set(route.view.body_type.__struct_fields__)
        for windows in app.extensions["rate_windows"].values():  # all of it is more than one person may ask in a minute
            windows.clear()
        for column in {c.key for c in User.__table__.columns} - named:
            tried += 1
            client = owner_client if route.access in {"admin", "owner"} else member_client
            response = client.open(route.path(managed_id=managed), method=route.method, json=body | {column: "admin"})
            assert response.status_code == 422, (str(route), column)
    assert tried > 30


@pytest.fixture
def asker_of(client: PageClient, member_client: PageClient, admin_client: PageClient) -> dict[str | None, PageClient]:
    return {None: client, "member": member_client, "admin": admin_client}


@pytest.mark.each_case
@pytest.mark.security("foreign-is-absent")
@pytest.mark.parametrize("role", [None, "member", "admin"])
@pytest.mark.parametrize("odd", sorted(ODD_WORDS.keys() - {"a megabyte"}))  # no line of a request is as long
def test_an_id_of_any_kind_is_simply_not_there(
    app: Flask, asker_of: dict[str | None, PageClient], odd: str, role: str | None
) -> None:
    segment = quote(ODD_WORDS[odd], safe="", errors="surrogateescape").replace("%2F", "%252F")
    tried = 0
    for route in routes.all_of(app):
        for name in route.arguments:
            if f"<path:{name}>" in route.rule:  # takes several segments, and no line end
                continue
            tried += 1
            made, absent = (ask(asker_of[role], route, **{name: value}) for value in (segment, new_id()))
            assert made.status_code == absent.status_code, (role, str(route), name)
            if route.access != "public" and made.status_code != 302:
                assert told(made) == told(absent), (role, str(route), name)
    assert tried > 15


@pytest.mark.security("fields-that-crash")
@pytest.mark.parametrize("odd", sorted(ODD_WORDS.keys() - {"a megabyte"}))
def test_a_parameter_of_any_kind_is_no_fault_of_ours(app: Flask, admin_client: PageClient, odd: str) -> None:
    tried = 0
    value = quote(ODD_WORDS[odd], safe="", errors="surrogateescape")
    for route in routes.all_of(app):
        for name in {"next", "q", *getattr(route.view, "query_parameters", {})}:
            tried += 1
            assert admin_client.open(f"{route.path()}?{name}={value}", method="GET").status_code < 500, (
                str(route),
                name,
            )
    assert tried > 60


@pytest.mark.security("fields-that-crash")
@pytest.mark.parametrize("odd", sorted(ODD_WORDS.keys() - {"no Unicode"}))
def test_a_field_of_any_kind_is_no_fault_of_ours(app: Flask, admin_client: PageClient, odd: str) -> None:
    tried = 0
    for route in routes.all_of(app):
        if route.body() is None or str(route) in APART:
            continue
        for field in route.view.body_type.__struct_fields__:
            tried += 1
            body = (route.body() or {}) | {field: ODD_WORDS[odd]}
            response = admin_client.open(route.path(), method=route.method, json=body)
            assert response.status_code < 500, (str(route), field, response.get_data(as_text=True))
    assert tried > 30
