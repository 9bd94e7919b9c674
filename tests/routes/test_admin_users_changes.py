"""Changing people: disabling, roles, and the last administrator who stays."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import reading, transaction
from flask_app.models import AuditEntry, User
from flask_app.services import user_admin_service
from flask_app.services.audit_service import Actor
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import STRONG, error_code, stored
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.together import at_once

URL = "/api/admin/users"


def audit() -> list[tuple[str, str, dict[str, Any]]]:
    with reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, entry.target, json.loads(entry.details)) for entry in entries]


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


def test_a_role_holds_from_the_next_request_in_a_new_session(
    admin_client: PageClient, member: User, member_client: PageClient, sign_in: SignIn
) -> None:
    assert member_client.get(URL).status_code == 403
    admin_client.patch(f"{URL}/{member.id}", json={"role": "admin"})
    assert member_client.get(URL).status_code == 401, "a session does not outlive a change of rights"
    promoted = sign_in(stored(member))
    assert promoted.get(URL).status_code == 200
    admin_client.patch(f"{URL}/{member.id}", json={"role": "member"})
    assert promoted.get(URL).status_code == 401


def test_what_is_so_already_changes_nothing(admin_client: PageClient, member: User, member_client: PageClient) -> None:
    same = admin_client.patch(f"{URL}/{member.id}", json={"role": "member", "disabled": False})
    assert same.status_code == 200
    assert same.json["user"]["online"] is True  # type: ignore[index]
    assert member_client.get("/api/me").status_code == 200
    assert audit() == []


@pytest.mark.parametrize("body", [{"role": "member"}, {"disabled": True}, {"role": "member", "disabled": True}])
def test_the_last_working_administrator_stays(
    admin_client: PageClient, admin: User, make_user: MakeUser, body: dict[str, Any]
) -> None:
    make_user("disabled admin", "admin", disabled=True)
    refused = admin_client.patch(f"{URL}/{admin.id}", json=body)
    assert (refused.status_code, error_code(refused)) == (409, "last_admin")
    assert stored(admin).role == "admin"
    assert not stored(admin).disabled


def test_one_of_two_administrators_may_go(admin_client: PageClient, admin: User, make_user: MakeUser) -> None:
    make_user("second", "admin")
    assert admin_client.patch(f"{URL}/{admin.id}", json={"role": "member"}).status_code == 200
    assert admin_client.get("/api/me").status_code == 401


@pytest.mark.parametrize("change", [{"role": "member"}, {"disabled": True}])
def test_administrators_who_remove_each_other_at_once_leave_one(
    app: Flask, make_user: MakeUser, change: dict[str, Any]
) -> None:
    people = [make_user(f"admin {number}", "admin") for number in range(4)]
    at_once(4, lambda number: user_admin_service.change(Actor(people[number]), people[(number + 1) % 4].id, **change))
    with reading() as session:
        left = session.scalar(select(func.count()).where(User.role == "admin", ~User.disabled))
    assert left is not None
    assert left >= 1


def test_an_administrator_demoted_meanwhile_changes_nothing(app: Flask, make_user: MakeUser, member: User) -> None:
    former = make_user("former", "admin")
    make_user("other", "admin")
    with transaction() as session:
        session.get_one(User, former.id).role = "member"
    (outcome,) = at_once(1, lambda _: user_admin_service.change(Actor(former), member.id, disabled=True))
    assert type(outcome).__name__ == "Forbidden"
    assert not stored(member).disabled
