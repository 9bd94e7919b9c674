"""What administrators see of people's second step, and what they do for somebody who lost their phone."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import select

from flask_app.database import new_id, reading
from flask_app.models import AuditEntry, User
from tests.conftest import MakeUser, SignIn
from tests.support import authenticator
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code, login


def path(user_id: str) -> str:
    return f"/api/admin/users/{user_id}/second-step"


def test_the_list_says_who_has_a_second_step(
    admin_client: PageClient, make_user: MakeUser, query_count: Callable[[], Any]
) -> None:
    for number in range(3):
        authenticator.turn_on(make_user(f"careful {number}"))
    make_user("careless")
    with query_count() as few:
        users = admin_client.get("/api/admin/users").json["users"]  # type: ignore[index]
    assert {user["username"]: user["second_step"] for user in users} == {
        **{f"careful {number}": True for number in range(3)},
        "careless": False,
        "admin": False,
    }
    for number in range(3, 9):
        authenticator.turn_on(make_user(f"careful {number}"))
    with query_count() as many:
        admin_client.get("/api/admin/users")
    assert len(few) == len(many)


def test_what_is_only_begun_is_not_on(member_client: PageClient, admin_client: PageClient, member: User) -> None:
    member_client.post("/api/me/second-step", json={"password": "violet harbour lantern"})
    assert authenticator.row_of(member)
    users = admin_client.get("/api/admin/users").json["users"]  # type: ignore[index]
    assert not any(user["second_step"] for user in users)
    refused = admin_client.delete(path(member.id))
    assert (refused.status_code, error_code(refused)) == (409, "second_step_off")


def test_an_administrator_turns_it_off_and_the_person_is_signed_out(
    app: Flask, admin_client: PageClient, admin: User, member: User, member_client: PageClient
) -> None:
    authenticator.turn_on(member)
    assert login(new_client(app)).status_code == 401
    under_way = new_client(app)
    login(under_way)
    changed = admin_client.delete(path(member.id))
    assert changed.status_code == 200
    assert changed.json["user"]["second_step"] is False  # type: ignore[index]
    assert member_client.get("/api/me").status_code == 401
    assert error_code(under_way.post("/api/login/second-step", json={"code": "123456"})) == "sign_in_expired"
    assert login(new_client(app)).status_code == 200
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.turn_off_second_step")).one()
    assert (entry.actor_id, entry.target, entry.details) == (admin.id, member.id, '{"username": "member"}')
    again = admin_client.delete(path(member.id))
    assert (again.status_code, error_code(again)) == (409, "second_step_off")


def test_nobody_turns_off_their_own_without_a_code(admin_client: PageClient, admin: User) -> None:
    authenticator.turn_on(admin)
    refused = admin_client.delete(path(admin.id))
    assert (refused.status_code, error_code(refused)) == (403, "own_second_step")
    assert authenticator.row_of(admin)


def test_an_unknown_person_is_not_found(admin_client: PageClient) -> None:
    for user_id in (new_id(), "x", "é" * 40):
        assert admin_client.delete(path(user_id)).status_code == 404


def test_members_and_strangers_turn_off_nothing(
    client: PageClient, member_client: PageClient, member: User, admin: User, sign_in: SignIn
) -> None:
    for user in (admin, member):
        authenticator.turn_on(user)
        assert member_client.delete(path(user.id)).status_code == 403
        assert client.delete(path(user.id)).status_code == 401
        assert authenticator.row_of(user)


def test_it_goes_with_no_word_of_secrets(admin_client: PageClient, member: User) -> None:
    secret, codes = authenticator.turn_on(member)
    told = admin_client.get("/api/admin/users").get_data(as_text=True)
    told += admin_client.get("/admin/users").get_data(as_text=True)
    row = authenticator.row_of(member)
    assert row
    for word in (secret, codes[0], row.secret.hex()):
        assert word not in told
