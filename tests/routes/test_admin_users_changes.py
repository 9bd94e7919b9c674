"""Changing people: disabling and roles."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading, transaction
from flask_app.errors import Forbidden
from flask_app.models import AuditEntry, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import user_admin_service
from flask_app.services.sign_in import open_sessions
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import STRONG, error_code, stored
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

URL = "/api/admin/users"


def audit() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]


@pytest.mark.security("disabled-is-out")
def test_a_disabled_person_is_out_at_once_and_stays_out(
    admin_client: PageClient, member: User, member_client: PageClient, client: PageClient
) -> None:
    assert member_client.get("/api/me").status_code == 200
    changed = admin_client.patch(f"{URL}/{member.id}", json={"disabled": True})
    assert changed.json["user"]["disabled"] is True  # type: ignore[index]
    assert member_client.get("/api/me").status_code == 401
    refused = client.post("/api/login", json={"username": "member", "password": PASSWORD})
    assert (refused.status_code, error_code(refused)) == (403, "account_disabled")
    assert error_code(client.post("/api/login", json={"username": "member", "password": STRONG})) == "wrong_credentials"
    admin_client.patch(f"{URL}/{member.id}", json={"disabled": False})
    assert member_client.get("/api/me").status_code == 401, "the old session must not come back"
    assert client.post("/api/login", json={"username": "member", "password": PASSWORD}).status_code == 200


@pytest.mark.security("disabled-is-out")
def test_disabling_a_person_stops_their_answer(
    admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("word " * 2000, tokens_per_second=50))
    stream = member_client.post("/api/chat", json={"message": "go"}, buffered=False)
    events = iter(stream.response)
    next(events)
    admin_client.patch(f"{URL}/{member.id}", json={"disabled": True})
    rest = b"".join(events)  # type: ignore[arg-type]
    stream.close()
    assert b'"stopped"' in rest


@pytest.mark.security("demoted-mid-stream")
def test_whoever_is_demoted_is_cut_off_in_mid_stream(
    owner_client: PageClient, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("word " * 2000, tokens_per_second=50))
    person = make_user("second", "admin")
    client = sign_in(person)
    with client.post("/api/chat", json={"message": "go"}, buffered=False) as response:
        events = cast("Iterator[bytes]", iter(response.response))
        next(events)
        assert owner_client.patch(f"{URL}/{person.id}", json={"role": "member"}).status_code == 200
        open_sessions.look()
        rest = [event.name for event in events_of(b"".join(events))]
    assert not {"done", "error"} & set(rest), "it does not go on to its end"
    assert client.get("/api/me").status_code == 401
    again = sign_in(stored(person))
    assert again.get(URL).status_code == 403


@pytest.mark.security("session-renewed")
def test_a_role_holds_from_the_next_request_in_a_new_session(
    owner_client: PageClient, member: User, member_client: PageClient, sign_in: SignIn
) -> None:
    assert member_client.get(URL).status_code == 403
    owner_client.patch(f"{URL}/{member.id}", json={"role": "admin"})
    assert member_client.get(URL).status_code == 401, "a session does not outlive a change of rights"
    promoted = sign_in(stored(member))
    assert promoted.get(URL).status_code == 200
    owner_client.patch(f"{URL}/{member.id}", json={"role": "member"})
    assert promoted.get(URL).status_code == 401


def test_what_is_so_already_changes_nothing(admin_client: PageClient, member: User, member_client: PageClient) -> None:
    same = admin_client.patch(f"{URL}/{member.id}", json={"role": "member", "disabled": False})
    assert same.status_code == 200
    assert same.json["user"]["online"] is True  # type: ignore[index]
    assert member_client.get("/api/me").status_code == 200
    assert audit() == []


def test_an_administrator_may_step_down(admin_client: PageClient, admin: User) -> None:
    assert admin_client.patch(f"{URL}/{admin.id}", json={"role": "member"}).status_code == 200
    assert admin_client.get("/api/me").status_code == 401
    assert stored(admin).role == "member"


def test_an_administrator_demoted_meanwhile_changes_nothing(app: Flask, make_user: MakeUser, member: User) -> None:
    former = make_user("former", "admin")
    with transaction() as session:
        session.get_one(User, former.id).role = "member"
    acts: list[Callable[[], object]] = [
        lambda: user_admin_service.change(Actor(former), member.id, disabled=True),
        lambda: user_admin_service.reset_link(Actor(former), member.id),
        lambda: user_admin_service.add(Actor(former), "new", "member"),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert not stored(member).disabled
