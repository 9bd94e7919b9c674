"""DELETE /api/admin/users/<id>: whoever has left goes, by an administrator's hand."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import Base, new_id, reading, utc_now
from flask_app.errors import AppError
from flask_app.models import AccessToken, AuditEntry, Conversation, LeftIdentity, LoginSession, Share, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import account_deletion, ownership_service, user_admin_service
from flask_app.services.runs import run_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import identities, ledger, sharing, talks
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.together import at_once

USERS = "/api/admin/users"
ENDLESS = Answer("word " * 2_000, tokens_per_second=50)


def path(person: User) -> str:
    return f"{USERS}/{person.id}"


def count(model: type[Base]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def is_there(person: User) -> bool:
    with reading() as session:
        found = session.get(User, person.id)
    return found is not None and found.deleted_at is None


def refusal(response: Any) -> tuple[int, str | None]:
    return response.status_code, error_code(response)


@pytest.mark.security("disabled-is-out", "audit")
def test_an_account_that_is_deleted_is_over_at_once(
    app: Flask,
    admin: User,
    admin_client: PageClient,
    member: User,
    member_client: PageClient,
    upstream: ScriptedUpstream,
) -> None:
    upstream.script(ENDLESS)
    sharing.switch("anybody")
    token, link = made(member), new_id()
    sharing.keep(member, talks.branched(member).id, link)
    with member_client.post("/api/chat", json={"message": "hello"}, buffered=False) as response:
        next(iter(response.response))
        assert run_service.live_runs()
        assert admin_client.delete(path(member)).status_code == 204
        wait_until(lambda: not run_service.live_runs())
    assert member_client.get("/api/me").status_code == 401
    assert Program(app, token.secret).get("/v1/models").status_code == 401
    assert count(Share) == 0
    with reading() as session:
        assert session.scalars(select(LoginSession).where(LoginSession.user_id == member.id)).all() == []
        assert session.scalars(select(AccessToken.revoked_at)).one() is not None
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.delete")).one()
    assert (entry.actor_id, entry.target, entry.address) == (admin.id, member.id, "127.0.0.1")
    assert json.loads(entry.details) == {"username": "member", "role": "member"}


@pytest.mark.security("deleted-is-gone")
def test_what_is_left_goes_and_the_counts_stay(
    admin_client: PageClient, admin: User, member: User, client: PageClient
) -> None:
    talks.branched(member)
    talks.branched(admin, title="stays")
    ledger.write([ledger.entry(member.id, utc_now())])
    assert admin_client.delete(path(member)).status_code == 204
    listed = admin_client.get(USERS).json
    assert listed
    assert [user["username"] for user in listed["users"]] == ["admin"], "nobody sees what is left of them"
    assert admin_client.patch(path(member), json={"disabled": False}).status_code == 404
    assert admin_client.delete(path(member)).status_code == 404, "once is enough"
    account_deletion.finish()
    assert client.post("/api/login", json={"username": "member", "password": PASSWORD}).status_code == 401
    with reading() as session:
        assert session.get(User, member.id) is None
        assert session.scalars(select(Conversation.user_id)).all() == [admin.id]
    assert count(TokenUsage) == 1
    assert user_admin_service.add(Actor(None), "member", "member").user.id != member.id, "the name is free"


def test_an_identity_waits_as_long_as_where_its_person_had_done_it(admin_client: PageClient, member: User) -> None:
    """Or whoever asks an administrator would have a budget anew."""
    identities.link_somebody(member.id)
    assert admin_client.delete(path(member)).status_code == 204
    assert count(LeftIdentity) == 1


@pytest.mark.security("own-role")
@pytest.mark.parametrize(
    ("actor", "person", "told"),
    [
        ("member", "member", (403, "forbidden")),
        ("admin", "member", (204, None)),
        ("admin", "admin", (403, "role_not_lower")),
        ("admin", "owner", (403, "role_not_lower")),
        ("owner", "admin", (204, None)),
        ("owner", "owner", (204, None)),
    ],
)
def test_who_deletes_whom(
    make_user: MakeUser, sign_in: SignIn, actor: str, person: str, told: tuple[int, str | None]
) -> None:
    client, other = sign_in(make_user("actor", actor)), make_user("other", person)
    response = client.delete(path(other))
    assert (response.status_code, error_code(response) if told[1] else None) == told
    assert is_there(other) == (told[0] != 204)


def test_nobody_deletes_themselves_there(owner: User, owner_client: PageClient, make_user: MakeUser) -> None:
    make_user("another", "owner")
    assert refusal(owner_client.delete(path(owner))) == (403, "own_account")
    assert is_there(owner)


def test_an_unknown_person_is_not_found(admin_client: PageClient) -> None:
    for user_id in (new_id(), "x", "\xe9" * 40):
        assert admin_client.delete(f"{USERS}/{user_id}").status_code == 404


def test_strangers_delete_nobody(client: PageClient, member: User) -> None:
    assert client.delete(path(member)).status_code == 401
    assert is_there(member)


@pytest.mark.security("last-administrator")
def test_the_last_owner_stays_whoever_deletes(app: Flask, owner: User, make_user: MakeUser) -> None:
    make_user("disabled", "owner", disabled=True)
    told = app.test_cli_runner().invoke(args=["users", "delete", owner.username, "--yes"])
    assert (told.exit_code, "last owner" in told.output) == (1, True), told.output
    assert is_there(owner)


@pytest.mark.security("last-administrator")
def test_two_owners_who_delete_each_other_at_once_leave_one(app: Flask, make_user: MakeUser) -> None:
    people = [make_user("one", "owner"), make_user("two", "owner")]

    def delete(number: int) -> str:
        with app.app_context():
            try:
                account_deletion.begin_for(Actor(people[number]), people[1 - number].id)
            except AppError as error:
                return error.code
        return "deleted"

    assert sorted(at_once(2, delete), key=str) == ["deleted", "forbidden"]
    assert [is_there(person) for person in people].count(True) == 1


def test_whoever_is_an_owner_no_more_deletes_no_administrator(
    owner: User, owner_client: PageClient, make_user: MakeUser
) -> None:
    """Their session may be older than that."""
    make_user("another", "owner")
    admin = make_user("second", "admin")
    ownership_service.end(Actor(None), owner.id)
    with pytest.raises(AppError) as raised:
        account_deletion.begin_for(Actor(owner), admin.id)
    assert raised.value.code == "role_not_lower"


def test_what_they_did_is_found_by_their_name(admin_client: PageClient, make_user: MakeUser) -> None:
    second = make_user("second", "member")
    made(second, "Editor")
    assert admin_client.delete(path(second)).status_code == 204
    account_deletion.finish()
    found = admin_client.get("/api/admin/audit", query_string={"who": "SECOND"}).json
    assert found
    assert [entry["action"] for entry in found["entries"]] == ["token.create"]


def test_on_the_command_line_it_is_asked_once_more(app: Flask, member: User) -> None:
    runner = app.test_cli_runner()
    refused = runner.invoke(args=["users", "delete", "member"], input="n\n")
    assert (refused.exit_code, is_there(member)) == (1, True)
    done = runner.invoke(args=["users", "delete", "member"], input="y\n")
    assert (done.exit_code, is_there(member)) == (0, False), done.output
    assert runner.invoke(args=["users", "delete", "nobody", "--yes"]).exit_code == 1
