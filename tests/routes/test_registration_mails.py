"""Accounts without an invitation where mail is set up: an address is confirmed before its person comes in."""

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import transaction, utc_now
from flask_app.models import LeftIdentity, Registration
from flask_app.services.people import account_deletion, registration_service
from tests.support import registered
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login
from tests.support.mail_server import MailServer
from tests.support.registered import allow, audited, confirm, kept, people, register
from tests.support.together import at_once
from tests.support.warned import use_mail

TERMS, LIST = "/api/admin/settings/registration", "/api/admin/registrations"


@pytest.fixture
def mail(app: Flask) -> Iterator[MailServer]:
    with MailServer() as running:
        use_mail(running.port)
        yield running


def test_an_address_is_confirmed_before_its_person_comes_in(mail: MailServer, client: PageClient, app: Flask) -> None:
    allow("open")
    asked = register(client, email=" New@Example.org ", locale="en")
    assert asked.json == {"state": "confirm", "username": "new", "session": None}
    (letter,) = mail.mails
    assert letter.recipients == ["New@example.org"]
    token = registered.token_of(mail)
    assert f"https://localhost/confirm#{token}" in letter.text
    assert login(client, "new", STRONG).status_code == 401
    for _ in range(2):  # the link is opened again
        assert confirm(new_client(app), token).json == {"state": "in", "username": "new", "session": None}
    assert login(client, "new", STRONG).get_json()["user"]["email"] == "New@example.org"
    assert audited("registration.come_in").actor_name == "new"


def test_a_confirmed_address_waits_for_the_administrator(
    mail: MailServer, client: PageClient, admin_client: PageClient
) -> None:
    allow("approval")
    register(client, email="new@example.org")
    assert admin_client.get(LIST).get_json()["registrations"] == []
    token = registered.token_of(mail)
    assert confirm(client, token).get_json()["state"] == "approval"
    (waiting,) = admin_client.get(LIST).get_json()["registrations"]
    assert waiting["email"] == "new@example.org"
    assert admin_client.post(f"{LIST}/{waiting['id']}/accept", json={}).status_code == 200
    assert confirm(client, token).get_json()["state"] == "in"


@pytest.mark.parametrize(("locale", "words"), [("en", "has let you in as “new”"), ("zh", "已通过“new”的申请")])
def test_whoever_is_let_in_is_told_where_to_sign_in(
    mail: MailServer, client: PageClient, admin_client: PageClient, locale: str, words: str
) -> None:
    admin_client.put("/api/admin/settings/site", json={"name": "育才", "locale": locale})
    allow("approval")
    register(client, email="new@example.org")
    confirm(client, registered.token_of(mail))
    (waiting,) = admin_client.get(LIST).get_json()["registrations"]
    assert len(mail.mails) == 1
    assert admin_client.post(f"{LIST}/{waiting['id']}/accept", json={}).status_code == 200
    letter = mail.mails[-1]
    assert letter.recipients == ["new@example.org"]
    assert words in letter.text
    assert "https://localhost/login" in letter.text
    assert "育才" in str(letter.message["Subject"])


def test_whoever_is_let_in_is_in_whatever_becomes_of_the_mail(
    mail: MailServer, client: PageClient, admin_client: PageClient
) -> None:
    allow("approval")
    register(client, email="new@example.org")
    confirm(client, registered.token_of(mail))
    (waiting,) = admin_client.get(LIST).get_json()["registrations"]
    mail.refusals = ["550 no such mailbox"]
    assert admin_client.post(f"{LIST}/{waiting['id']}/accept", json={}).status_code == 200
    assert len(mail.mails) == 1
    assert login(client, "new", STRONG).status_code == 200


def test_nobody_comes_in_by_an_address_twice(mail: MailServer, client: PageClient, app: Flask) -> None:
    allow("open")
    register(client, "one", email="new@example.org")
    first = registered.token_of(mail)
    register(client, "two", email="NEW@example.org")
    assert confirm(client, first).status_code == 200
    second = confirm(new_client(app), registered.token_of(mail))
    assert (second.status_code, error_code(second)) == (409, "email_taken")
    third = register(client, "three", email="new@example.org")
    assert (third.status_code, error_code(third)) == (409, "email_taken")
    assert people() == 1


def test_of_two_who_want_one_name_one_comes_in(mail: MailServer, app: Flask) -> None:
    allow("open")
    tokens = []
    for email in ("one@example.org", "two@example.org"):
        assert register(new_client(app), "小红", email=email).status_code == 200
        tokens.append(registered.token_of(mail))
    replies: list[Any] = at_once(2, lambda number: confirm(new_client(app), tokens[number]))
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert {error_code(reply) for reply in replies if reply.status_code == 409} == {"username_taken"}
    assert people() == 1


def test_only_some_domains(mail: MailServer, client: PageClient, admin_client: PageClient) -> None:
    changed = admin_client.put(TERMS, json={"mode": "open", "domains": ["@Example.org", "example.org", " bücher.de "]})
    assert changed.get_json()["domains"] == ["example.org", "bücher.de"]
    elsewhere = register(client, email="new@example.com")
    assert (elsewhere.status_code, error_code(elsewhere)) == (422, "email_not_taken")
    below = register(client, email="new@mail.example.org")
    assert error_code(below) == "email_not_taken"
    assert register(client, email="new@EXAMPLE.org").status_code == 200
    assert len(mail.mails) == 1


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"username": " "}, 422, "username_invalid"),
        ({"username": "MEMBER"}, 409, "username_taken"),
        ({"password": "short"}, 422, "password_too_short"),
        ({"email": "nobody"}, 422, "bad_email"),
        ({"email": None}, 422, "bad_email"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, 422, "bad_email"),
        ({"role": "admin"}, 422, "invalid_field"),
        ({"username": 5}, 422, "invalid_field"),
    ],
)
@pytest.mark.usefixtures("member")
def test_bad_input_keeps_nothing(
    mail: MailServer, client: PageClient, fields: dict[str, Any], status: int, code: str
) -> None:
    allow("open")
    reply = register(client, **({"email": "new@example.org"} | fields))
    assert (reply.status_code, error_code(reply)) == (status, code)
    assert (mail.mails, kept()) == ([], [])


def test_a_mail_that_is_not_taken_leaves_nothing(mail: MailServer, client: PageClient) -> None:
    allow("open")
    mail.refusals.append("550 no such person")
    reply = register(client, email="new@example.org")
    assert (reply.status_code, error_code(reply)) == (502, "mail_recipient_refused")
    assert kept() == []
    assert register(client, email="new@example.org").status_code == 200


def test_what_is_not_confirmed_in_a_day_is_over(mail: MailServer, client: PageClient) -> None:
    allow("open")
    register(client, email="new@example.org")
    (asked,) = kept()
    assert asked.expires_at
    assert timedelta(hours=23) < asked.expires_at - utc_now() <= timedelta(hours=24)
    with transaction() as session:
        session.execute(update(Registration).values(expires_at=utc_now()))
    assert error_code(confirm(client, registered.token_of(mail))) == "registration_unknown"
    registration_service.prune()
    assert kept() == []


@pytest.mark.parametrize(("first", "second"), [("straße", "strasse"), ("strasse", "straße")])
def test_two_domains_that_casefold_to_one_are_two(
    mail: MailServer, client: PageClient, app: Flask, first: str, second: str
) -> None:
    allow("open")
    for number, domain in enumerate((first, second)):
        asked = register(new_client(app), f"new {number}", email=f"new@{domain}.example")
        assert asked.status_code == 200
        assert confirm(client, registered.token_of(mail)).status_code == 200
    assert {each.came_in_by for each in kept()} == {"new@xn--strae-oqa.example", "new@strasse.example"}
    again = register(client, "another", email=f"NEW@{second}.example")
    assert error_code(again) == "email_taken"


@pytest.mark.usefixtures("mail")
def test_a_domain_that_may_come_lets_in_no_other(client: PageClient) -> None:
    allow("open", "strasse.example")
    assert error_code(register(client, email="new@straße.example")) == "email_not_taken"


def test_who_came_in_under_an_older_folding_is_known_by_their_own_address(mail: MailServer, client: PageClient) -> None:
    """It wrote straße as strasse, which somebody else's may be."""
    allow("open")
    register(client, email="new@straße.example")
    confirm(client, registered.token_of(mail))
    with transaction() as session:
        session.execute(update(Registration).values(came_in_by="new@strasse.example"))
    assert error_code(register(client, "another", email="new@straße.example")) == "email_taken"
    assert register(client, "another", email="new@strasse.example").status_code == 200


def test_whoever_came_in_is_remembered_by_address_until_they_are_deleted(mail: MailServer, client: PageClient) -> None:
    allow("open")
    register(client, email="new@example.org")
    confirm(client, registered.token_of(mail))
    registration_service.prune()
    assert [each.came_in_by for each in kept()] == ["new@example.org"]


@pytest.mark.parametrize("mode", ["open", "approval"])
def test_who_left_comes_not_back_by_the_same_address_before_the_month_is_over(
    mail: MailServer, client: PageClient, admin_client: PageClient, mode: str
) -> None:
    """Their budgets would begin anew; an administrator may let them in all the same."""
    allow("open")
    register(client, email="new@example.org")
    confirm(client, registered.token_of(mail))
    entered = login(client, "new", STRONG).get_json()
    client.csrf_token = entered["csrf_token"]
    assert client.post("/api/me/delete", json={"password": STRONG}).status_code == 204
    account_deletion.finish()
    allow(mode)
    stranger = new_client(client.application)
    assert register(stranger, "another", email="NEW@example.org").status_code == 200
    reply = confirm(stranger, registered.token_of(mail))
    if mode == "open":
        assert (reply.status_code, error_code(reply)) == (403, "identity_left")
        with transaction() as session:
            (left,) = session.scalars(select(LeftIdentity))
            assert "new" not in left.identity
            left.until = utc_now()
        assert confirm(stranger, registered.token_of(mail)).get_json()["state"] == "in"
    else:
        (waiting,) = admin_client.get(LIST).get_json()["registrations"]
        assert admin_client.post(f"{LIST}/{waiting['id']}/accept", json={}).status_code == 200


def test_a_link_opens_nothing_once_registration_is_closed(mail: MailServer, client: PageClient) -> None:
    allow("open")
    register(client, email="new@example.org")
    allow("closed")
    reply = confirm(client, registered.token_of(mail))
    assert (reply.status_code, error_code(reply)) == (403, "registration_closed")


@pytest.mark.usefixtures("mail")
def test_domains_that_nobody_can_prove_close_it(client: PageClient) -> None:
    allow("open", "example.org")
    config.install(dataclasses.replace(config.current(), mail=None))
    reply = register(client)
    assert (reply.status_code, error_code(reply)) == (403, "registration_closed")


@pytest.mark.parametrize("domains", [["not a domain"], ["a@b.org"], ["x" * 254], [f"d{n}.org" for n in range(21)]])
@pytest.mark.usefixtures("mail")
def test_domains_are_domains(admin_client: PageClient, domains: list[str]) -> None:
    reply = admin_client.put(TERMS, json={"mode": "open", "domains": domains})
    assert (reply.status_code, error_code(reply)) == (422, "bad_domains")
