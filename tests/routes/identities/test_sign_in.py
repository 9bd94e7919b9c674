"""Signing in by a real provider: there and back, as whom, and into which group."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import IdentitySignIn, LoginSession, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_deletion, group_service, supervision_service
from flask_app.services.people.group_service import Choices
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import identity_providers, password_sign_in
from tests.conftest import PASSWORD, MakeUser
from tests.routes.identities.conftest import ALICE
from tests.support import authenticator, identities
from tests.support.clients import PageClient, new_client
from tests.support.entrance import error_code
from tests.support.oidc_provider import RealProvider


def group(name: str) -> str:
    return group_service.add(identities.HOUSE, Choices(name=name)).group.id


def provide(school: RealProvider, **terms: Any) -> identity_providers.Listed:
    return identities.provide(school.issuer, secret=school.secret, **terms)


def sessions_of(user: User) -> int:
    with reading() as session:
        return len(session.scalars(select(LoginSession).where(LoginSession.user_id == user.id)).all())


def test_somebody_new_comes_in_and_is_the_same_person_the_next_time(client: PageClient, school: RealProvider) -> None:
    provide(school)
    arrived = identities.sign_in(client, school, "alice")
    assert (arrived.status_code, arrived.get_json()["state"]) == (200, "in")
    assert arrived.get_json()["session"]["user"]["email"] == "alice@school.example"
    assert client.get("/api/me").get_json()["user"]["username"] == "alice"
    alice = identities.named("alice")
    assert (alice.password_hash, alice.role) == (None, "member")
    school.know(alice=ALICE | {"preferred_username": "bob", "email": "other@school.example"})
    again = new_client(client.application)
    assert identities.sign_in(again, school, "alice").get_json()["username"] == "alice", "by issuer and subject alone"
    (linked,) = identities.linked()
    assert (linked.user_id, linked.shown) == (alice.id, "other@school.example")
    assert len(identities.audited("identity.link")) == 1


@pytest.mark.parametrize("client_id", ["elliptic", "edwards", "posting", "public"])
def test_other_algorithms_and_ways_to_show_the_secret(client: PageClient, school: RealProvider, client_id: str) -> None:
    secret = None if client_id == "public" else school.secret
    identities.provide(school.issuer, secret=secret, client_id=client_id)
    assert identities.sign_in(client, school, "alice").get_json()["state"] == "in"


def test_the_way_there_says_what_it_must(client: PageClient, school: RealProvider) -> None:
    provide(school, scopes=("openid", "email"))
    location = urlsplit(identities.depart(client))
    asked = {name: values[0] for name, values in parse_qs(location.query).items()}
    assert f"{location.scheme}://{location.netloc}" == school.issuer
    assert asked["redirect_uri"] == identities.CALLBACK
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"] == "openid email"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    cookie = client.get_cookie("__Host-mingchat-identity")
    assert cookie
    assert (cookie.http_only, cookie.secure, cookie.same_site) == (True, True, "Lax")
    with reading() as session:
        (kept,) = session.scalars(select(IdentitySignIn))
    assert asked["state"] not in {kept.id, kept.browser}, "digests alone are kept"
    assert cookie.value not in {kept.id, kept.browser}


def test_a_way_is_gone_once_in_one_browser(client: PageClient, school: RealProvider) -> None:
    provide(school)
    came = school.visit(identities.depart(client), "alice")
    stranger = new_client(client.application)
    assert error_code(identities.finish(stranger, came)) == "sign_in_expired", "another browser has no cookie"
    identities.depart(stranger)
    assert error_code(identities.finish(stranger, came)) == "sign_in_expired", "and its own does not do"
    assert identities.finish(client, came).status_code == 200
    refused = identities.finish(client, came)
    assert (refused.status_code, error_code(refused)) == (401, "sign_in_expired")


def test_two_tabs_go_side_by_side(client: PageClient, school: RealProvider) -> None:
    provide(school)
    one, two = identities.depart(client), identities.depart(client)
    assert identities.finish(client, school.visit(two, "alice")).status_code == 200
    assert error_code(identities.finish(client, school.visit(one, "alice"))) == "sign_in_expired", "one is in by now"


def test_a_way_that_takes_too_long_is_over(client: PageClient, school: RealProvider) -> None:
    provide(school)
    came = school.visit(identities.depart(client), "alice")
    with transaction() as session:
        session.execute(update(IdentitySignIn).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert error_code(identities.finish(client, came)) == "sign_in_expired"
    identities.depart(client)
    with reading() as session:
        assert len(session.scalars(select(IdentitySignIn)).all()) == 1, "those that are over go"


def test_who_cancels_there_is_told_so(client: PageClient, school: RealProvider) -> None:
    provide(school)
    came = school.visit(identities.depart(client), None)
    assert came["error"] == "access_denied"
    refused = identities.finish(client, came)
    assert (refused.status_code, error_code(refused)) == (403, "identity_cancelled")
    assert "<b>" not in refused.text, "nothing of the provider's own words"
    assert identities.linked() == []


def test_groups_follow_the_provider_at_each_sign_in(client: PageClient, school: RealProvider) -> None:
    pupils, teachers, others = group("Pupils"), group("Teachers"), group("Others")
    table = (("teachers", teachers), ("pupils", pupils))
    listed = provide(
        school, scopes=("openid", "profile", "email", "groups"), groups_claim="groups", groups=table, group_id=others
    )
    identities.sign_in(client, school, "alice")
    assert identities.named("alice").group_id == pupils
    assert identities.audited("identity.move") == [], "who is new moves nowhere"
    supervision_service.switch(Actor(None), pupils, on=True)
    supervision_service.see(identities.named("alice"))
    assert identities.named("alice").supervision_seen_at is not None
    school.know(alice=ALICE | {"groups": ["pupils", "teachers"]})
    identities.sign_in(new_client(client.application), school, "alice")
    assert identities.named("alice").group_id == teachers, "the first row that matches counts"
    assert identities.named("alice").supervision_seen_at is None, "another group is supervised by others"
    (moved,) = identities.audited("identity.move")
    assert '"before": {"group": "Pupils"}' in moved.details
    school.know(alice=ALICE | {"groups": "nothing known"})
    identities.sign_in(new_client(client.application), school, "alice")
    assert identities.named("alice").group_id == others
    group_deletion.delete(identities.HOUSE, others)
    identities.sign_in(new_client(client.application), school, "alice")
    identities.change(listed, groups_claim="realm_access.roles", group_id=teachers)
    school.know(alice=ALICE | {"realm_access": {"roles": ["pupils"]}})
    identities.sign_in(new_client(client.application), school, "alice")
    assert identities.named("alice").group_id == pupils, "a claim may lie deeper"


def test_without_a_claim_nobodys_group_is_touched(client: PageClient, school: RealProvider) -> None:
    provide(school)
    identities.sign_in(client, school, "alice")
    readers = group("Readers")
    with transaction() as session:
        session.execute(update(User).where(User.username == "alice").values(group_id=readers))
    identities.sign_in(new_client(client.application), school, "alice")
    assert identities.named("alice").group_id == readers


@pytest.mark.parametrize("is_enough", [False, True])
def test_the_second_step_is_asked_for_unless_the_provider_has(
    client: PageClient, school: RealProvider, is_enough: bool
) -> None:
    provide(school, second_factor=is_enough)
    identities.sign_in(client, school, "alice")
    alice = identities.named("alice")
    secret, _ = authenticator.turn_on(alice)
    browser = new_client(client.application)
    reply = identities.sign_in(browser, school, "alice")
    if is_enough:
        assert reply.get_json()["state"] == "in"
        return
    assert (reply.status_code, error_code(reply)) == (401, "second_step_needed")
    assert browser.get("/api/me").status_code == 401
    done = browser.post("/api/login/second-step", json={"code": authenticator.code(secret)})
    assert done.status_code == 200
    assert browser.get("/api/me").get_json()["user"]["id"] == alice.id


def test_who_is_disabled_stays_out(client: PageClient, school: RealProvider) -> None:
    provide(school)
    identities.sign_in(client, school, "alice")
    with transaction() as session:
        session.execute(update(User).where(User.username == "alice").values(disabled=True))
    refused = identities.sign_in(new_client(client.application), school, "alice")
    assert (refused.status_code, error_code(refused)) == (403, "account_disabled")


def test_the_session_that_the_browser_had_ends(member_client: PageClient, member: User, school: RealProvider) -> None:
    provide(school)
    before = sessions_of(member)
    assert identities.sign_in(member_client, school, "alice").get_json()["state"] == "in"
    assert sessions_of(member) == before - 1


def test_a_provider_that_is_off_or_unknown_leads_nowhere(client: PageClient, school: RealProvider, admin: User) -> None:
    listed = provide(school)
    came = school.visit(identities.depart(client), "alice")
    assert "The School" in client.get("/login").text
    identities.change(listed, disabled=True)
    assert "The School" not in client.get("/login").text
    for refused in (
        identities.finish(client, came),
        client.post(identities.DEPART, json={"provider": identities.SLUG}),
        client.post(identities.DEPART, json={"provider": "nowhere"}),
    ):
        assert (refused.status_code, error_code(refused)) == (404, "unknown_identity_provider")


def test_a_provider_that_does_not_know_this_site_is_told_of(client: PageClient, school: RealProvider) -> None:
    identities.provide(school.issuer, secret="not the secret")
    refused = identities.sign_in(client, school, "alice")
    assert (refused.status_code, error_code(refused)) == (502, "identity_client_refused")


def test_a_secret_that_cannot_be_opened_is_told_of(client: PageClient, school: RealProvider) -> None:
    listed = provide(school)
    with transaction() as session:
        session.execute(update(type(listed.provider)).values(secret=sealing.seal("another row's", "another row")))
    assert error_code(identities.sign_in(client, school, "alice")) == "identity_secret_unreadable"


def test_members_sign_in_by_the_provider_alone_where_that_is_chosen(
    app: Flask, client: PageClient, school: RealProvider, member: User, admin: User
) -> None:
    password_sign_in.choose(identities.HOUSE, everybody=False)

    def attempt(name: str, password: str = PASSWORD) -> object:
        reply = new_client(app).post("/api/login", json={"username": name, "password": password})
        return reply.status_code, error_code(reply) if reply.status_code != 200 else None

    assert attempt("member") == (200, None), "there is no provider yet"
    listed = provide(school)
    assert attempt("member") == (403, "password_sign_in_off")
    assert attempt("member", "a wrong password, long") == (401, "wrong_credentials"), "nobody learns who is here"
    assert attempt("admin") == (200, None), "an administrator is never locked out"
    assert identities.sign_in(client, school, "alice").get_json()["state"] == "in"
    identities.change(listed, disabled=True)
    assert attempt("member") == (200, None)


def test_another_issuer_knows_nobody(client: PageClient, school: RealProvider, make_user: MakeUser) -> None:
    make_user("alice")
    provide(school, newcomers="closed")
    refused = identities.sign_in(client, school, "alice")
    assert (refused.status_code, error_code(refused)) == (403, "identity_unknown"), "a name links nobody"
