"""What administrators see of people's passkeys, and what they do once a device is lost."""

import json
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading
from flask_app.models import AuditEntry, Passkey, User
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.passkeys import add, sign_in


def path(user_id: str) -> str:
    return f"/api/admin/users/{user_id}/passkeys"


def rows() -> int:
    with reading() as session:
        return len(session.scalars(select(Passkey)).all())


def test_the_list_says_how_many_each_has(
    admin_client: PageClient, make_user: MakeUser, sign_in: SignIn, query_count: Callable[[], Any]
) -> None:
    two = sign_in(make_user("two"))
    for _ in range(2):
        add(two)
    make_user("none")
    with query_count() as few:
        users = admin_client.get("/api/admin/users").json["users"]  # type: ignore[index]
    assert {user["username"]: user["passkeys"] for user in users} == {"two": 2, "none": 0, "admin": 0}
    for number in range(4):
        add(sign_in(make_user(f"one {number}")))
    with query_count() as many:
        admin_client.get("/api/admin/users")
    assert len(few) == len(many)


def test_an_administrator_removes_them_and_the_person_is_signed_out(
    app: Flask, admin_client: PageClient, admin: User, member: User, member_client: PageClient
) -> None:
    device, _ = add(member_client)
    kept, _ = add(admin_client)
    changed = admin_client.delete(path(member.id))
    assert changed.status_code == 200
    assert changed.json["user"]["passkeys"] == 0  # type: ignore[index]
    assert member_client.get("/api/me").status_code == 401
    assert error_code(sign_in(new_client(app), device)) == "passkey_refused"
    assert sign_in(new_client(app), kept).status_code == 200
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.remove_passkeys")).one()
    assert (entry.actor_id, entry.target) == (admin.id, member.id)
    assert json.loads(entry.details) == {"username": "member", "passkeys": 1}
    again = admin_client.delete(path(member.id))
    assert (again.status_code, error_code(again)) == (409, "no_passkeys")


def test_nobody_removes_their_own_without_the_password(admin_client: PageClient, admin: User) -> None:
    add(admin_client)
    refused = admin_client.delete(path(admin.id))
    assert (refused.status_code, error_code(refused)) == (403, "own_passkeys")
    assert rows() == 1


def test_an_unknown_person_is_not_found(admin_client: PageClient) -> None:
    for user_id in (new_id(), "x", "é" * 40):
        assert admin_client.delete(path(user_id)).status_code == 404


def test_members_and_strangers_remove_nothing(
    client: PageClient, member_client: PageClient, member: User, admin_client: PageClient, admin: User
) -> None:
    for own in (member_client, admin_client):
        add(own)
    for user in (admin, member):
        assert member_client.delete(path(user.id)).status_code == 403
        assert client.delete(path(user.id)).status_code == 401
    assert rows() == 2
