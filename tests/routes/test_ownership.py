"""Who owns the site: what only owners do, what nobody does to them, and the last one who stays."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import new_id, reading
from flask_app.errors import Conflict, Forbidden
from flask_app.models import AuditEntry, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import ownership_service, standing, user_admin_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import authenticator
from tests.support.clients import PageClient
from tests.support.entrance import STRONG, error_code, login, stored
from tests.support.together import at_once

URL = "/api/admin/users"
HOUSE = Actor(None)


def give(client: PageClient, user: User, password: str = PASSWORD, **body: object) -> Any:
    return client.post(f"{URL}/{user.id}/ownership", json={"password": password, **body})


def end(client: PageClient, user: User, password: str = PASSWORD) -> Any:
    return client.post(f"{URL}/{user.id}/ownership/end", json={"password": password})


def owners() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).where(User.is_owner, User.role == "admin", ~User.disabled)) or 0


def test_the_site_is_handed_over(
    app: Flask, owner_client: PageClient, owner: User, member: User, member_client: PageClient, client: PageClient
) -> None:
    reply = give(owner_client, member)
    assert reply.status_code == 200
    assert (reply.json["user"]["role"], reply.json["user"]["owner"]) == ("admin", True)
    assert (standing.role_of(stored(owner)), standing.role_of(stored(member))) == ("admin", "owner")
    for browser in (owner_client, member_client):
        assert browser.get("/api/me").status_code == 401, "no session outlives a change of rights"
    assert login(client).json["user"]["owner"] is True
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "ownership.give")).one()
    assert (entry.actor_id, entry.action, entry.target) == (owner.id, "ownership.give", member.id)
    assert entry.details == '{"kept": false, "username": "member"}'


def test_it_may_be_shared_and_each_may_end_it(
    owner_client: PageClient, owner: User, admin: User, sign_in: SignIn
) -> None:
    assert give(owner_client, admin, keep=True).status_code == 200
    assert owners() == 2
    again = give(owner_client, admin, keep=True)
    assert (again.status_code, error_code(again)) == (409, "owner_already")
    assert end(sign_in(stored(admin)), owner).status_code == 200
    assert standing.role_of(stored(owner)) == "admin"
    assert owner_client.get("/api/me").status_code == 401
    refused = end(sign_in(stored(admin)), owner)
    assert (refused.status_code, error_code(refused)) == (409, "owner_not")


def test_it_takes_the_password_again(owner_client: PageClient, member: User, make_user: MakeUser) -> None:
    second = make_user("second", "owner")
    for reply in (give(owner_client, member, "wrong"), end(owner_client, second, "wrong")):
        assert (reply.status_code, error_code(reply)) == (403, "wrong_password")
    assert owner_client.post(f"{URL}/{member.id}/ownership", json={}).status_code == 422
    assert owners() == 2


@pytest.mark.security("last-administrator")
def test_the_last_owner_stays(owner_client: PageClient, owner: User, make_user: MakeUser) -> None:
    make_user("disabled owner", "owner", disabled=True)
    refused = end(owner_client, owner)
    assert (refused.status_code, error_code(refused)) == (409, "last_owner")
    with pytest.raises(Conflict, match="last_owner"):
        ownership_service.end(HOUSE, owner.id)
    assert owners() == 1


def test_the_disabled_and_the_absent_get_nothing(owner_client: PageClient, make_user: MakeUser) -> None:
    refused = give(owner_client, make_user("disabled", disabled=True))
    assert (refused.status_code, error_code(refused)) == (409, "account_is_disabled")
    for act in ("ownership", "ownership/end"):
        assert owner_client.post(f"{URL}/{new_id()}/{act}", json={"password": PASSWORD}).status_code == 404


@pytest.mark.security("last-administrator")
@pytest.mark.parametrize("others", [0, 2])
def test_owners_who_end_each_others_ownership_at_once_leave_one(app: Flask, make_user: MakeUser, others: int) -> None:
    people = [make_user(f"owner {number}", "owner") for number in range(2 + others)]
    count = len(people)
    outcomes = at_once(
        count, lambda number: ownership_service.end(Actor(people[number]), people[(number + 1) % count].id)
    )
    assert owners() >= 1
    assert any(not isinstance(outcome, Exception) for outcome in outcomes)


def test_owners_who_hand_over_and_end_at_once_leave_one(app: Flask, make_user: MakeUser) -> None:
    one, two, heir = make_user("one", "owner"), make_user("two", "owner"), make_user("heir")
    acts: list[Callable[[], object]] = [
        lambda: ownership_service.give(Actor(one), heir.id, keep=False),
        lambda: ownership_service.end(Actor(two), one.id),
        lambda: ownership_service.end(Actor(two), two.id),
        lambda: user_admin_service.change(HOUSE, heir.id, disabled=True),
    ]
    outcomes = at_once(len(acts), lambda number: acts[number]())
    assert owners() >= 1, outcomes
    assert {type(outcome) for outcome in outcomes if isinstance(outcome, Exception)} <= {Conflict, Forbidden}


def test_an_administrator_touches_neither_owners_nor_other_administrators(
    admin_client: PageClient, owner: User, make_user: MakeUser
) -> None:
    other = make_user("other", "admin")
    for person in (owner, other):
        authenticator.turn_on(person)
        for reply in (
            admin_client.patch(f"{URL}/{person.id}", json={"disabled": True}),
            admin_client.patch(f"{URL}/{person.id}", json={"role": "member"}),
            admin_client.patch(f"{URL}/{person.id}", json={"group_id": "0" * 26}),
            admin_client.post(f"{URL}/{person.id}/reset-link"),
            admin_client.delete(f"{URL}/{person.id}/second-step"),
        ):
            assert (reply.status_code, error_code(reply)) == (403, "role_not_lower")
        assert not stored(person).disabled
        assert error_code(give(admin_client, person)) == error_code(end(admin_client, person)) == "forbidden"


def test_an_administrator_makes_no_administrators(admin_client: PageClient, member: User) -> None:
    for reply in (
        admin_client.patch(f"{URL}/{member.id}", json={"role": "admin"}),
        admin_client.post(URL, json={"username": "new", "role": "admin", "password": STRONG}),
    ):
        assert (reply.status_code, error_code(reply)) == (403, "forbidden")
    assert stored(member).role == "member"


def test_an_owner_names_and_removes_administrators(owner_client: PageClient, member: User, admin: User) -> None:
    assert owner_client.patch(f"{URL}/{member.id}", json={"role": "admin"}).json["user"]["owner"] is False  # type: ignore[index]
    assert owner_client.patch(f"{URL}/{admin.id}", json={"role": "member"}).status_code == 200
    assert owner_client.patch(f"{URL}/{member.id}", json={"disabled": True}).status_code == 200
    assert owner_client.post(URL, json={"username": "new", "role": "admin"}).status_code == 201
    assert owners() == 1


@pytest.mark.parametrize("body", [{"role": "member"}, {"disabled": True}])
def test_an_owner_stays_as_they_are_until_their_ownership_ends(
    owner_client: PageClient, owner: User, make_user: MakeUser, body: dict[str, Any]
) -> None:
    second = make_user("second", "owner")
    own = owner_client.patch(f"{URL}/{owner.id}", json=body)
    assert (own.status_code, error_code(own)) == (409, "is_owner")
    anothers = owner_client.patch(f"{URL}/{second.id}", json=body)
    assert (anothers.status_code, error_code(anothers)) == (403, "role_not_lower")
    with pytest.raises(Conflict, match="is_owner"):
        user_admin_service.change(HOUSE, second.id, **body)


def test_a_link_given_to_a_member_opens_no_administrator(
    owner_client: PageClient, admin_client: PageClient, member: User, client: PageClient
) -> None:
    """Or whoever made it, or found it, would be an administrator as well."""
    token = admin_client.post(f"{URL}/{member.id}/reset-link").json["token"]  # type: ignore[index]
    owner_client.patch(f"{URL}/{member.id}", json={"role": "admin"})
    refused = client.post("/api/password-reset", json={"token": token, "password": STRONG})
    assert error_code(refused) == "reset_link_invalid"


def test_the_first_administrator_of_the_command_line_owns_the_site(app: Flask) -> None:
    first = user_admin_service.add(HOUSE, "first", "admin", STRONG).user
    second = user_admin_service.add(HOUSE, "second", "admin", STRONG).user
    assert (standing.role_of(stored(first)), standing.role_of(stored(second))) == ("owner", "admin")


def test_whom_the_version_before_demotes_owns_nothing_any_more(app: Flask, make_user: MakeUser) -> None:
    former = make_user("former", "member", is_owner=True)
    assert standing.role_of(former) == "member"
    user_admin_service.change(HOUSE, former.id, role="admin")
    assert standing.role_of(stored(former)) == "admin"


def test_strangers_and_members_reach_none_of_it(client: PageClient, member_client: PageClient, member: User) -> None:
    for act in (give, end):
        assert error_code(act(client, member)) == "sign_in_required"
        assert error_code(act(member_client, member)) == "forbidden"
    assert owners() == 0
