"""Whoever has an account links their name in a directory to it by themselves."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from flask_app.database import transaction, utc_now
from flask_app.models import LoginSession, User
from flask_app.services.sign_in import proof_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import directory, identities
from tests.support.clients import PageClient, new_client
from tests.support.directory import ALICE_PASSWORD, SLUG, RealDirectory
from tests.support.entrance import error_code, login

PATH = "/api/me/identities/directory"
THERE = "a word in the directory"
TOLD_ALONE = {"id", "slug", "has_secret", "people", "created_at"}  # of what is told of a directory


def link(client: PageClient, **fields: Any) -> Any:
    usual = {"provider": SLUG, "username": "alice", "directory_password": ALICE_PASSWORD, "password": PASSWORD}
    return client.post(PATH, json=usual | fields)


def test_a_member_links_their_name_there(client: PageClient, campus: RealDirectory, member: User) -> None:
    listed = directory.provide(campus, newcomers="closed")
    own = new_client(client.application)
    own.csrf_token = login(own, "member").get_json()["csrf_token"]
    standing = own.get("/api/me/identities").get_json()
    assert standing["directories"] == [{"slug": SLUG, "name": "The Campus"}]
    linked = link(own)
    assert linked.status_code == 201, linked.text
    (identity,) = linked.get_json()["identities"]
    assert (identity["provider"], identity["shown"]) == ("The Campus", "alice")
    assert login(new_client(client.application), "alice", ALICE_PASSWORD).get_json()["user"]["username"] == "member"
    assert error_code(login(new_client(client.application), "member")) == "wrong_credentials"
    (entry,) = identities.audited("identity.link")
    assert entry.actor_id == member.id
    assert own.delete(f"/api/me/identities/{identity['id']}").status_code == 204
    assert login(new_client(client.application), "member").status_code == 200
    assert listed.provider.slug == SLUG


def test_an_administrator_links_and_keeps_the_password(
    admin: User, admin_client: PageClient, campus: RealDirectory
) -> None:
    directory.provide(campus)
    assert link(admin_client).status_code == 201
    for name, password in (("alice", ALICE_PASSWORD), ("admin", PASSWORD)):
        came = login(new_client(admin_client.application), name, password)
        assert came.get_json()["user"]["username"] == "admin"


@pytest.mark.security("directory-takes-nobody-over")
def test_a_directory_by_which_others_administer_is_moved_by_owners_alone(
    owner_client: PageClient, admin_client: PageClient, campus: RealDirectory
) -> None:
    """Whoever's server it is could come in as any of them."""
    provider = directory.provide(campus).provider
    path = f"/api/admin/directories/{provider.id}"
    kept = admin_client.get("/api/admin/directories").get_json()["directories"][0]
    kept = {name: value for name, value in kept.items() if name not in TOLD_ALONE}
    elsewhere = kept | {"address": "ldaps://elsewhere.example", "plain": False, "bind_password": "another"}
    assert link(owner_client).status_code == 201
    refused = admin_client.put(path, json=elsewhere)
    assert (refused.status_code, error_code(refused)) == (403, "directory_of_administrators")
    assert admin_client.put(path, json=kept | {"name": "Our campus"}).status_code == 200
    assert owner_client.put(path, json=elsewhere).status_code == 200


def test_who_alone_administers_by_a_directory_moves_it(admin_client: PageClient, campus: RealDirectory) -> None:
    provider = directory.provide(campus).provider
    assert link(admin_client).status_code == 201
    kept = admin_client.get("/api/admin/directories").get_json()["directories"][0]
    kept = {name: value for name, value in kept.items() if name not in TOLD_ALONE}
    elsewhere = kept | {"address": "ldaps://elsewhere.example", "plain": False, "bind_password": "another"}
    assert admin_client.put(f"/api/admin/directories/{provider.id}", json=elsewhere).status_code == 200


@pytest.mark.security("directory-takes-nobody-over")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": "not mine"}, "wrong_password"),
        ({"password": None}, "wrong_password"),
        ({"directory_password": "not hers"}, "wrong_directory_password"),
        ({"directory_password": ""}, "wrong_directory_password"),
        ({"username": "nobody"}, "wrong_directory_password"),
        ({"username": ""}, "wrong_directory_password"),
        ({"username": "*"}, "wrong_directory_password"),
    ],
)
def test_without_both_passwords_nothing_is_linked(
    member_client: PageClient, campus: RealDirectory, fields: dict[str, Any], code: str
) -> None:
    directory.provide(campus)
    refused = link(member_client, **fields)
    assert (refused.status_code, error_code(refused)) == (403, code)
    assert identities.linked() == []


@pytest.mark.security("guesses-limited")
def test_guesses_at_a_password_there_count_as_at_signing_in(
    client: PageClient, member_client: PageClient, campus: RealDirectory
) -> None:
    directory.provide(campus)
    campus.know("guessed", THERE)
    statuses = [link(member_client, username="guessed", directory_password="wrong").status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]
    assert login(new_client(client.application), "guessed", THERE, address="192.0.2.77").status_code == 429


@pytest.mark.security("directory-takes-nobody-over")
def test_a_name_that_opens_another_account_is_taken(
    client: PageClient, member_client: PageClient, campus: RealDirectory
) -> None:
    directory.provide(campus)
    login(client, "alice", ALICE_PASSWORD)
    taken = link(member_client)
    assert (taken.status_code, error_code(taken)) == (409, "identity_taken")
    assert link(client_of(client), password=ALICE_PASSWORD).status_code == 201, "one's own, once more"
    assert len(identities.linked()) == 1


def client_of(client: PageClient) -> PageClient:
    """Signed in anew, with the token that its pages would send."""
    client.csrf_token = ""
    client.csrf_token = login(client, "alice", ALICE_PASSWORD).get_json()["csrf_token"]
    return client


def test_a_directory_that_is_off_away_or_none_links_nobody(member_client: PageClient, campus: RealDirectory) -> None:
    directory.unreachable()
    assert link(member_client, provider="nowhere").status_code == 502
    for slug in ("x", "", "no such"):
        assert link(member_client, provider=slug).status_code == 404
    listed = directory.provide(campus)
    directory.change(listed, disabled=True)
    assert link(member_client).status_code == 404
    provider = identities.provide("https://id.example.org").provider
    assert link(member_client, provider=provider.slug).status_code == 404
    assert identities.linked() == []


def test_signed_out_nothing_is_linked(client: PageClient, campus: RealDirectory) -> None:
    directory.provide(campus)
    refused = link(client)
    assert (refused.status_code, error_code(refused)) == (401, "sign_in_required")


@pytest.mark.parametrize("body", [{}, {"provider": SLUG}, {"provider": SLUG, "username": 1}, {"colour": "red"}])
def test_what_makes_no_sense_is_refused(member_client: PageClient, body: dict[str, Any]) -> None:
    assert member_client.post(PATH, json=body).status_code == 422


def without_password(make_user: MakeUser) -> User:
    user = make_user("without")
    with transaction() as session:
        session.get_one(User, user.id).password_hash = None
    return user


def test_the_account_page_offers_it(
    member_client: PageClient, make_user: MakeUser, sign_in: SignIn, campus: RealDirectory
) -> None:
    assert "data-directory-link-form" not in member_client.get("/account").text
    directory.provide(campus)
    page = member_client.get("/account").text
    assert "data-directory-link-form" in page
    assert 'name="account_password"' in page
    without = sign_in(without_password(make_user))
    assert 'name="account_password"' not in without.get("/account").text


@pytest.mark.security("old-session-adds-no-sign-in")
def test_who_has_no_password_must_have_signed_in_lately(
    make_user: MakeUser, sign_in: SignIn, campus: RealDirectory
) -> None:
    directory.provide(campus)
    person = without_password(make_user)
    client = sign_in(person)
    long_ago = utc_now() - proof_service.FRESH - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(LoginSession).where(LoginSession.user_id == person.id).values(created_at=long_ago))
    asked = campus.binds()
    refused = link(client, password=None)
    assert (refused.status_code, error_code(refused)) == (403, "sign_in_again")
    assert campus.binds() == asked, "no directory hears of it"
    assert identities.linked() == []
    assert link(sign_in(person), password=None).status_code == 201
