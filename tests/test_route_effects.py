"""What a request does to the database, for every route: reading changes nothing, administration leaves its trace."""

import base64
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from flask_app import config
from flask_app.database import reading, transaction
from flask_app.models import ApiKey, AuditEntry, Tariff, TokenUsage, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import code_admin_service
from flask_app.services.budgets.code_admin_service import Terms
from flask_app.services.conversations import folder_service, title_setting
from flask_app.services.embedding import embedding_setting
from flask_app.services.people import ownership_service
from flask_app.services.providers import model_service
from flask_app.services.site import announcement_service, logo_service
from flask_app.services.site.announcement_service import Wanted
from tests.conftest import PASSWORD
from tests.support import (
    assisted,
    authenticator,
    directory,
    drifts,
    files,
    gateway,
    identities,
    invited,
    logos,
    passkeys,
    prompted,
    registered,
    routes,
    sharing,
    snapshots,
    storage,
    tooling,
    warned,
    who_searches,
)
from tests.support.changes import ACTS, CANARY, CHANGES, NOT_CHANGES, SOON
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.keys import keep_key, keep_provider
from tests.support.mcp_server import McpServer
from tests.support.scripted_upstream import ScriptedUpstream


@pytest.fixture
def things(member: User, member_client: PageClient, upstream: ScriptedUpstream, workshop: McpServer) -> dict[str, str]:
    """Something for every argument of a route, by the argument's name."""
    started = events_of(member_client.post("/api/chat", json={"message": "hello"}).data)[0].data
    provider_id = keep_provider("Elsewhere", upstream.base_url, models=["elsewhere-1"])
    return {
        "conversation_id": started["conversation_id"],
        "folder_id": folder_service.make(member, "a folder").id,
        "run_id": started["run_id"],
        "message_id": started["message_id"],
        "user_message_id": started["user_message_id"],
        "user_id": member.id,
        "passkey_id": passkeys.keep(member.id),
        "key_id": keep_key(provider_id, "a-key", account="shared"),
        "provider_id": provider_id,
        "model_id": model_service.available()[0].id,
        "record_id": record_id(),
        "reconciliation_id": drifts.kept("a-key").id,
        "access_token_id": gateway.made(member).token.id,
        "registration_id": registered.waiting("newcomer").id,
        "invitation_id": invited.made().listed.invitation.id,
        "identity_provider_id": identities.provide("https://id.example.org").provider.id,
        "directory_id": directory.unreachable().provider.id,
        "identity_id": identities.link_somebody(member.id).id,
        "slug": identities.SLUG,
        **shared(member_client, started["conversation_id"]),
        "announcement_id": announcement_service.add(Actor(None), Wanted(text="hello")).announcement.id,
        **codes(),
        **prompted.both(member),
        "assistant_id": assisted.keep(member_client)["id"],
        "shared_assistant_id": assisted.share().id,
        "tool_server_id": tooling.added(workshop.url).server.id,
        "file_id": files.kept(member_client, b"words")["id"],
    }


@pytest.mark.security("reading-changes-nothing")
@pytest.mark.parametrize("role", [None, "member", "admin"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_changes_nothing(
    app: Flask,
    client: PageClient,
    member_client: PageClient,
    admin_client: PageClient,
    things: dict[str, str],
    role: str | None,
    method: str,
) -> None:
    reader = {None: client, "member": member_client, "admin": admin_client}[role]
    read = [route for route in routes.all_of(app) if route.method == "GET"]
    before = snapshots.picture()
    assert before["token_usage"][0] == before["conversations"][0] == 1, "there is something to be changed"
    statuses = {str(route): reader.open(route.path(**things), method=method).status_code for route in read}
    assert snapshots.picture() == before, statuses
    if role:
        assert 200 in {statuses["GET /c/<conversation_id>"], statuses["GET /admin"]}


@pytest.mark.security("key-never-returned")
def test_no_reply_to_a_reader_holds_a_secret(
    app: Flask, admin_client: PageClient, member_client: PageClient, things: dict[str, str]
) -> None:
    with reading() as session:
        hashes = [hashed for hashed in session.scalars(select(User.password_hash)) if hashed]
        sealed = [kept for kept in session.scalars(select(ApiKey.secret)) if kept]
    settings = config.current()
    secrets = ["secret of a-key", "test-key", settings.secret_key, settings.encryption_key, *hashes]
    secrets += [admin_client.session_token, member_client.session_token]
    secrets += [encoded for kept in sealed for encoded in (kept.hex(), base64.b64encode(kept).decode()[:24])]
    assert len(secrets) > 8
    for route in routes.all_of(app):
        if route.method == "GET":
            for client in (admin_client, member_client):
                response = client.open(route.path(**things), method="GET")
                told = f"{response.headers}{words_of(response)}"
                assert not [secret for secret in secrets if secret in told], str(route)


def words_of(response: TestResponse) -> str:
    """What a reader gets to see of it, in a zip too."""
    if response.mimetype != "application/zip":
        return response.get_data(as_text=True)
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        return "".join(f"{name}{archive.read(name).decode()}" for name in archive.namelist())


def test_a_change_is_seen_in_the_picture(member_client: PageClient, things: dict[str, str]) -> None:
    before = snapshots.picture()
    path = f"/api/conversations/{things['conversation_id']}"
    assert member_client.patch(path, json={"title": "another"}).status_code == 200
    changed = {name for name, seen in snapshots.picture().items() if seen != before[name]}
    assert changed == {"conversations", "search_documents", "search_postings", "search_progress"}


@pytest.mark.security("audit")
def test_every_act_of_an_administrator_is_known_here(app: Flask) -> None:
    changing = {str(each) for each in routes.all_of(app) if each.access in {"admin", "owner"} and each.method != "GET"}
    assert changing == set(ACTS), "say in ACTS what makes a new route change something: its audit entry is looked for"


def ready(
    app: Flask, client: PageClient, member: User, things: dict[str, str], upstream: ScriptedUpstream, name: str
) -> Callable[[], TestResponse]:
    """The act of an owner that changes something, once all is there that it takes."""
    if name.endswith("/ownership/end"):
        ownership_service.give(Actor(None), member.id, keep=True)
    things["group_id"] = client.post("/api/admin/groups", json={"name": "a group"}).json["id"]  # type: ignore[index]
    things["tariff_id"], things["budget_id"] = tariff_id(client), budget_id(client, name)
    warned.use_webhook()
    logo_service.choose(Actor(None), logos.png())
    who_searches.by_searxng(upstream.base_url)
    with transaction() as session:
        title_setting.begin(session)
    embedding_setting.choose(Actor(None), things["model_id"])
    authenticator.turn_on(member)
    route = next(route for route in routes.all_of(app) if str(route) == name)
    body = ACTS[name]
    if body and "base_url" in body:
        body = body | {"base_url": upstream.base_url}
    if body and "seen" in body:
        body = body | {"seen": tooling.seen(things["tool_server_id"])}
    sent = {} if body is None else {"json": body}
    return lambda: client.open(route.path(**things), method=route.method, **sent)


@pytest.mark.each_case
@pytest.mark.parametrize("name", ACTS)
def test_an_administrators_change_that_the_server_breaks_off_is_made_anew(
    app: Flask, owner_client: PageClient, member: User, things: dict[str, str], upstream: ScriptedUpstream, name: str
) -> None:
    """MariaDB ends one of two transactions that wait for each other."""
    act = ready(app, owner_client, member, things, upstream, name)
    before = len(entries())
    with storage.broken_off_once("INSERT INTO audit_log") as met:
        response = act()
    assert met, "something was broken off"
    assert response.status_code < 400, response.get_data(as_text=True)
    assert len(entries()) > before


@pytest.mark.security("audit")
@pytest.mark.parametrize("name", ACTS)
def test_an_administrators_change_is_logged_without_secrets(
    app: Flask,
    owner: User,
    member: User,
    owner_client: PageClient,
    things: dict[str, str],
    upstream: ScriptedUpstream,
    name: str,
) -> None:
    admin, act = owner, ready(app, owner_client, member, things, upstream, name)
    before = {entry.id for entry in entries()}
    response = act()
    assert response.status_code < 400, response.get_data(as_text=True)
    added = [entry for entry in entries() if entry.id not in before]
    told = [*(response.json or {}).get("codes", []), (response.json or {}).get("secret") or CANARY]
    assert added, "nothing was logged"
    secrets = {CANARY, PASSWORD, "secret of a-key", "test-key", str((response.json or {}).get("token", CANARY)), *told}
    for entry in added:
        assert (entry.actor_id, entry.actor_name, entry.address) == (admin.id, admin.username, "127.0.0.1")
        assert not [secret for secret in secrets if secret in repr(vars(entry))]
    if name in CHANGES:
        (changed,) = (json.loads(entry.details) for entry in added if entry.action == CHANGES[name])
        assert changed["before"].keys() == changed["after"].keys()
        assert changed["before"] != changed["after"]
    elif name.startswith("DELETE"):
        assert any(json.loads(entry.details) for entry in added), "it says what was there"


@pytest.mark.security("audit")
def test_every_change_of_what_exists_says_what_it_was() -> None:
    """Each act that is named a change, and those that are one by another name."""
    assert {action for action in audit_service.ACTIONS if action.endswith(".change")} <= set(CHANGES.values())
    assert {name for name in ACTS if name.startswith(("PUT", "PATCH"))} - set(CHANGES) == NOT_CHANGES


def shared(client: PageClient, conversation_id: str) -> dict[str, str]:
    """A link, as its person, whoever has it and an administrator name it."""
    sharing.switch("anybody")
    made = sharing.share(client, conversation_id)
    return {"share_id": made["id"], "anybodys_share_id": made["id"], "share_token": made["path"].removeprefix("/s/")}


def codes() -> dict[str, str]:
    """A batch, and one of its codes."""
    batch = code_admin_service.make(Actor(None), Terms(label="a batch", count=2, unit="tokens", amount=5)).listed.batch
    code = code_admin_service.codes_of(batch.id).codes[0].code
    return {"batch_id": batch.id, "code_id": code.id}


def record_id() -> str:
    with reading() as session:
        return session.scalars(select(TokenUsage.id)).one()


def tariff_id(client: PageClient) -> str:
    assert client.post("/api/admin/tariffs", json=SOON | {"model": "priced"}).status_code == 201
    with reading() as session:
        return session.scalars(select(Tariff.id).where(Tariff.model == "priced")).one()


def budget_id(client: PageClient, act: str) -> str:
    """A limit, or a balance for what is done to one."""
    period = "prepaid" if "top-ups" in act else "week"
    made = {"scope": "site", "period": period, "limit": 1000, "reason": "paid"}
    response = client.post("/api/admin/budgets", json=made)
    assert response.status_code == 201
    return str(response.json["id"])  # type: ignore[index]


def entries() -> list[AuditEntry]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry)))
