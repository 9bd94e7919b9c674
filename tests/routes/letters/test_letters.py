"""A letter with a link for whoever forgot their password."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from structlog.testing import capture_logs

from flask_app.database import reading, transaction, utc_now
from flask_app.i18n import LOCALES, translate
from flask_app.models import AuditEntry, LinkedIdentity, PasswordLink, Registration, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import addresses, password_links, registration_admin_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import password_sign_in
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support import authenticator, directory, forgotten, identities, registered
from tests.support.clients import PageClient, new_client
from tests.support.entrance import STRONG, error_code, login, stored
from tests.support.forgotten import ask, change, letter, reachable, recipients, token_in
from tests.support.mail_server import MailServer

RESET = "/api/password-reset"


def links_of(user: User) -> list[PasswordLink]:
    with reading() as session:
        return list(session.scalars(select(PasswordLink).where(PasswordLink.user_id == user.id)))


def audited() -> list[AuditEntry]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "password.letter")))


@pytest.mark.parametrize("typed", ["ada", " ＡＤＡ ", "ada@example.org", " Ada@EXAMPLE.org "])
def test_a_letter_leads_to_a_new_password(
    mail: MailServer, client: PageClient, app: Flask, make_user: MakeUser, typed: str
) -> None:
    ada = reachable(make_user, "ada", email="Ada@example.org")
    reply = ask(client, typed)
    assert (reply.status_code, reply.data) == (204, b"")
    got = letter(mail)
    assert got.recipients == ["Ada@example.org"]
    assert f"https://localhost/reset#{token_in(got)}" in got.text
    used = client.post(RESET, json={"token": token_in(got), "password": STRONG})
    assert used.get_json()["user"]["username"] == "ada"
    again = new_client(app).post(RESET, json={"token": token_in(got), "password": STRONG})
    assert error_code(again) == "reset_link_invalid"
    assert login(new_client(app), "ada").status_code == 401
    (entry,) = audited()
    assert (entry.target, entry.actor_name, entry.address) == (ada.id, "ada", "192.0.2.1")
    assert token_in(got) not in entry.details


@pytest.mark.security("reset-letter-link")
def test_its_link_holds_an_hour_and_is_kept_as_a_digest(
    mail: MailServer, client: PageClient, make_user: MakeUser
) -> None:
    ada = reachable(make_user, "ada")
    ask(client, "ada")
    token = token_in(letter(mail))
    (link,) = links_of(ada)
    assert link.id == digest(token)
    assert timedelta(minutes=59) < link.expires_at - utc_now() <= timedelta(hours=1)
    with transaction() as session:
        session.get_one(PasswordLink, link.id).expires_at = utc_now()
    assert error_code(client.post(RESET, json={"token": token, "password": STRONG})) == "reset_link_invalid"


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        ("en", "MingChat: choose a new password", "has forgotten the password of “ada”"),
        ("zh", "明聊：设置新密码", "忘记了 明聊 上“ada”的密码"),
        ("zh-Hant", "明聊：設定新密碼", "忘記了 明聊 上「ada」的密碼"),
        ("ja", "MingChat：新しいパスワードの設定", "「ada」さんのパスワードを忘れました"),
    ],
)
def test_it_is_in_the_persons_language(
    mail: MailServer, client: PageClient, make_user: MakeUser, locale: str, subject: str, words: str
) -> None:
    reachable(make_user, "ada", locale=locale)
    ask(client, "ada", headers={"Accept-Language": "ja" if locale == "en" else "en"})
    got = letter(mail)
    assert str(got.message["Subject"]) == subject
    assert words in got.text
    assert "https://localhost/reset#" in got.text


@pytest.mark.parametrize(
    ("seen", "subject"), [(None, "育才：新しいパスワードの設定"), ("en", "育才: choose a new password")]
)
def test_whoever_has_chosen_no_language_gets_the_one_that_they_last_saw_else_the_sites(
    mail: MailServer, client: PageClient, admin_client: PageClient, make_user: MakeUser, seen: str | None, subject: str
) -> None:
    admin_client.put("/api/admin/settings/site", json={"name": "育才", "locale": "ja"})
    reachable(make_user, "ada", locale=None, seen_locale=seen)
    ask(client, "ada")
    assert str(letter(mail).message["Subject"]) == subject


def test_a_letter_that_is_not_taken_is_in_the_log_alone(
    mail: MailServer, client: PageClient, make_user: MakeUser
) -> None:
    reachable(make_user, "ada")
    mail.refusals.append("550 no such person")
    with capture_logs() as logged:
        assert ask(client, "ada").status_code == 204
        assert recipients(mail) == []
    (said,) = [event for event in logged if event["event"] == "reset_letter_not_sent"]
    assert (said["code"], said["detail"]) == ("mail_recipient_refused", "550 no such person")
    assert len(audited()) == 1
    assert translate("en", "audit.action_password_letter") == "a letter about a forgotten password was asked for"


def test_one_address_may_be_that_of_several(mail: MailServer, client: PageClient, make_user: MakeUser) -> None:
    for name in ("child", "parent"):
        reachable(make_user, name, email="family@example.org")
    ask(client, "family@example.org")
    letter(mail, 2)
    assert {name for name in ("child", "parent") for each in mail.mails if f"“{name}”" in each.text} == {
        "child",
        "parent",
    }


@pytest.mark.security("reset-letter-confirmed")
@pytest.mark.parametrize(
    "fields",
    [
        {"email": None, "confirmed_email": None},
        {"email": "ada@example.org", "confirmed_email": None},
        {"email": "other@example.org", "confirmed_email": "ada@example.org"},
        {"email": None, "confirmed_email": "ada@example.org"},
        {"disabled": True},
    ],
)
def test_nothing_comes_to_an_address_that_is_not_confirmed_or_to_the_disabled(
    mail: MailServer, client: PageClient, make_user: MakeUser, fields: dict[str, Any]
) -> None:
    ada = reachable(make_user, "ada")
    change(ada, **fields)
    for typed in ("ada", "ada@example.org", "other@example.org"):
        assert ask(client, typed).status_code == 204
    assert recipients(mail) == []
    assert links_of(ada) == []


@pytest.mark.security("reset-letter-confirmed")
def test_whoever_waits_to_be_let_in_gets_nothing(mail: MailServer, client: PageClient) -> None:
    registered.allow("approval")
    registered.register(client, email="new@example.org")
    registered.confirm(client, registered.token_of(mail))
    before = len(mail.mails)
    for typed in ("new", "new@example.org"):
        assert ask(client, typed).status_code == 204
    forgotten.settle()
    assert len(mail.mails) == before


def test_whoever_came_in_by_a_confirmed_address_gets_one(mail: MailServer, client: PageClient, app: Flask) -> None:
    registered.allow("open")
    registered.register(client, email="New@example.org")
    registered.confirm(client, registered.token_of(mail))
    ask(new_client(app), "new@example.org")
    assert letter(mail, 2).recipients == ["New@example.org"]


def test_an_address_from_a_provider_is_confirmed_by_no_mail(app: Flask) -> None:
    """Whatever it says of addresses: a letter goes where this site's mail has come."""
    asked, provider = registered.waiting("newcomer"), identities.provide("https://id.example.org").provider
    with transaction() as session:
        row = session.get_one(Registration, asked.id)
        row.email, row.confirmed_at = "new@example.org", utc_now()
        row.identity, row.identity_provider_id = "digest", provider.id
    user = registration_admin_service.accept(Actor(None), asked.id).user
    assert (stored(user).email, stored(user).confirmed_email) == ("new@example.org", None)


def linked(user: User, provider_id: str) -> None:
    with transaction() as session:
        session.add(LinkedIdentity(provider_id=provider_id, user_id=user.id, identity="digest", shown=user.username))


@pytest.mark.security("reset-letter-second-step")
def test_whom_a_directory_knows_is_told_so_and_gets_no_link(
    mail: MailServer, client: PageClient, make_user: MakeUser
) -> None:
    ada = reachable(make_user, "ada")
    linked(ada, directory.unreachable().provider.id)
    ask(client, "ada")
    got = letter(mail)
    assert "You sign in there by Nowhere" in got.text
    assert "/reset#" not in got.text
    assert links_of(ada) == []


@pytest.mark.security("reset-letter-second-step")
@pytest.mark.parametrize("locale", LOCALES)
def test_who_has_no_password_here_is_told_by_what_they_sign_in(
    mail: MailServer, client: PageClient, make_user: MakeUser, locale: str
) -> None:
    ada = reachable(make_user, "ada", locale=locale)
    change(ada, password_hash=None)
    linked(ada, identities.provide("https://id.example.org").provider.id)
    ask(client, "ada")
    got = letter(mail)
    assert "The School" in got.text
    assert "/reset#" not in got.text
    assert links_of(ada) == []


def test_where_only_administrators_have_passwords_only_they_get_links(
    mail: MailServer, client: PageClient, make_user: MakeUser
) -> None:
    identities.provide("https://id.example.org")
    password_sign_in.choose(Actor(None), everybody=False)
    reachable(make_user, "ada")
    reachable(make_user, "chief", "admin")
    ask(client, "ada")
    assert "No password opens this account" in letter(mail).text
    ask(client, "chief")
    assert token_in(letter(mail, 2))


@pytest.mark.security("reset-letter-second-step")
def test_the_second_step_is_asked_for_all_the_same(mail: MailServer, client: PageClient, make_user: MakeUser) -> None:
    secret, _ = authenticator.turn_on(reachable(make_user, "ada"))
    ask(client, "ada")
    body = {"token": token_in(letter(mail)), "password": STRONG}
    refused = client.post(RESET, json=body)
    assert (refused.status_code, error_code(refused)) == (401, "second_step_needed")
    assert client.post(RESET, json=body | {"code": authenticator.code(secret)}).status_code == 200


@pytest.mark.security("reset-letter-link")
def test_asking_ends_no_link_and_choosing_a_password_ends_all(
    mail: MailServer, client: PageClient, app: Flask, make_user: MakeUser
) -> None:
    ada = reachable(make_user, "ada")
    with transaction() as session:
        made = password_links.issue(session, ada.id).token
    for _ in range(2):
        ask(client, "ada")
    letter(mail, 2)
    first, second = map(token_in, mail.mails)
    for token in (made, first, second):
        assert client.post(f"{RESET}/check", json={"token": token}).get_json() == {"username": "ada"}
    assert client.post(RESET, json={"token": first, "password": STRONG}).status_code == 200
    for token in (made, first, second):
        late = new_client(app).post(RESET, json={"token": token, "password": PASSWORD})
        assert error_code(late) == "reset_link_invalid"


@pytest.mark.security("reset-letter-link")
@pytest.mark.parametrize("given", ["new@example.org", ""])
def test_a_link_ends_with_the_address_that_it_went_to(
    mail: MailServer, client: PageClient, make_user: MakeUser, sign_in: SignIn, given: str
) -> None:
    """Whoever gives up a mailbox that somebody else reads is safe from what came there."""
    ada = reachable(make_user, "ada")
    mine = sign_in(ada)
    ask(client, "ada")
    token = token_in(letter(mail))
    for stays in ("ADA@example.org", "ada@example.org"):
        assert mine.patch("/api/me", json={"email": stays}).status_code == 200
        assert client.post(f"{RESET}/check", json={"token": token}).status_code == 200
    assert mine.patch("/api/me", json={"email": given}).status_code == 200
    assert error_code(client.post(f"{RESET}/check", json={"token": token})) == "reset_link_invalid"
    assert links_of(ada) == []


@pytest.mark.security("reset-letter-link")
def test_a_link_ends_when_another_address_is_confirmed(
    mail: MailServer, client: PageClient, make_user: MakeUser
) -> None:
    """Also where a version that knows of no confirmed ones has changed the address."""
    ada = reachable(make_user, "ada")
    ask(client, "ada")
    letter(mail)
    change(ada, email="new@example.org")
    now = stored(ada)
    addresses.confirm(now, addresses.code_at(now, utc_now()), "192.0.2.1")
    assert links_of(ada) == []


def test_an_administrators_link_takes_the_place_of_the_letters(
    mail: MailServer, client: PageClient, admin_client: PageClient, make_user: MakeUser
) -> None:
    ada = reachable(make_user, "ada")
    ask(client, "ada")
    token = token_in(letter(mail))
    assert admin_client.post(f"/api/admin/users/{ada.id}/reset-link").status_code == 200
    assert error_code(client.post(f"{RESET}/check", json={"token": token})) == "reset_link_invalid"
