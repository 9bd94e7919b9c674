"""One's mail address on the account page, and the code that confirms it."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app import config
from flask_app.database import reading, transaction, utc_now
from flask_app.models import AuditEntry, LoginSession, User
from flask_app.services.people import addresses
from flask_app.services.warnings import delivery_service
from tests.conftest import PASSWORD, MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code, stored
from tests.support.forgotten import change, code_in
from tests.support.mail_server import MailServer
from tests.support.warned import notices

SEND, CONFIRM = "/api/me/email/code", "/api/me/email/confirm"
ADDRESS = "Ada@example.org"


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    return make_user("ada", email=ADDRESS, locale="en")


@pytest.fixture
def mine(ada: User, sign_in: SignIn) -> PageClient:
    return sign_in(ada)


def send(client: PageClient, password: str | None = PASSWORD) -> Any:
    return client.post(SEND, json={"password": password})


def confirm(client: PageClient, code: str) -> Any:
    return client.post(CONFIRM, json={"code": code})


def code_of(user: User, ago: timedelta) -> str:
    return addresses.code_at(user, utc_now() - ago)


def test_a_code_confirms_it(mail: MailServer, mine: PageClient, ada: User) -> None:
    assert mine.get("/api/me").get_json()["user"]["email_confirmed"] is False
    assert send(mine).status_code == 204
    (letter,) = mail.mails
    assert letter.recipients == [ADDRESS]
    assert "“ada” gave this address" in letter.text
    assert "http" not in letter.text, "it leads nowhere"
    confirmed = confirm(mine, f" {code_in(letter).lower().replace('-', ' ')} ")
    assert (confirmed.get_json()["user"]["email"], confirmed.get_json()["user"]["email_confirmed"]) == (ADDRESS, True)
    assert stored(ada).confirmed_email == "ada@example.org"
    with reading() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "address.confirm"))
    assert (entry.target, entry.actor_name) == (ada.id, "ada")
    assert "example.org" not in entry.details


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("zh", "明聊：邮箱验证码"),
        ("zh-Hant", "明聊：電子郵件驗證碼"),
        ("ja", "MingChat：メールアドレスの確認コード"),
        ("en", "MingChat: a code for your address"),
    ],
)
def test_the_code_comes_in_ones_language(
    mail: MailServer, mine: PageClient, ada: User, locale: str, subject: str
) -> None:
    change(ada, locale=locale)
    assert send(mine).status_code == 204
    assert str(mail.last.message["Subject"]) == subject
    assert code_in(mail.last)


@pytest.mark.security("reset-letter-confirmed")
def test_the_password_is_asked_for(mail: MailServer, mine: PageClient) -> None:
    """Who sits at somebody's open browser makes no address of their own good for a letter."""
    for password in (None, "", "another password entirely"):
        refused = send(mine, password)
        assert (refused.status_code, error_code(refused)) == (403, "wrong_password")
    assert mail.mails == []


def test_who_has_no_password_must_have_signed_in_lately(mail: MailServer, mine: PageClient, ada: User) -> None:
    change(ada, password_hash=None)
    assert send(mine, None).status_code == 204
    with transaction() as session:
        session.execute(update(LoginSession).values(created_at=utc_now() - timedelta(hours=3)))
    refused = send(mine, None)
    assert (refused.status_code, error_code(refused)) == (403, "sign_in_again")
    assert len(mail.mails) == 1


@pytest.mark.security("reset-letter-confirmed")
def test_another_address_is_not_confirmed(mail: MailServer, mine: PageClient, ada: User) -> None:
    send(mine)
    code = code_in(mail.last)
    mine.patch("/api/me", json={"email": "eve@example.org"})
    assert error_code(confirm(mine, code)) == "wrong_address_code"
    mine.patch("/api/me", json={"email": "ada@EXAMPLE.org"})
    assert confirm(mine, code).status_code == 200
    for given in ("ADA@example.org", "eve@example.org"):
        changed = mine.patch("/api/me", json={"email": given}).get_json()["user"]
        assert changed["email_confirmed"] == (given == "ADA@example.org")
    assert stored(ada).confirmed_email is None
    mine.patch("/api/me", json={"email": ""})
    assert mine.get("/api/me").get_json()["user"]["email_confirmed"] is False


@pytest.mark.security("reset-letter-confirmed")
@pytest.mark.parametrize(("own", "foreign"), [("straße.example", "strasse.example"), ("σας.example", "σασ.example")])
@pytest.mark.parametrize("back", [False, True])
def test_two_domains_that_casefold_to_one_are_two(
    mail: MailServer, mine: PageClient, ada: User, own: str, foreign: str, back: bool
) -> None:
    """Mail servers have them as xn--strae-oqa.example and strasse.example, of two owners."""
    first, second = (f"ada@{domain}" for domain in ((foreign, own) if back else (own, foreign)))
    mine.patch("/api/me", json={"email": first})
    send(mine)
    code = code_in(mail.last)
    assert confirm(mine, code).get_json()["user"]["email_confirmed"] is True
    assert mine.patch("/api/me", json={"email": second}).get_json()["user"]["email_confirmed"] is False
    assert stored(ada).confirmed_email is None
    assert error_code(confirm(mine, code)) == "wrong_address_code"


@pytest.mark.security("reset-letter-confirmed")
def test_one_domain_in_two_spellings_is_one(mail: MailServer, mine: PageClient) -> None:
    mine.patch("/api/me", json={"email": "ada@straße.example"})
    send(mine)
    confirm(mine, code_in(mail.last))
    for given in ("Ada@STRAßE.example", "ada@xn--strae-oqa.example"):
        assert mine.patch("/api/me", json={"email": given}).get_json()["user"]["email_confirmed"] is True


@pytest.mark.security("reset-letter-confirmed")
def test_what_an_older_version_took_for_the_same_is_not_confirmed(mine: PageClient, ada: User) -> None:
    change(ada, email="ada@straße.example", confirmed_email="ada@strasse.example")
    assert mine.get("/api/me").get_json()["user"]["email_confirmed"] is False
    given = mine.patch("/api/me", json={"email": "ada@strasse.example"})
    assert given.get_json()["user"]["email_confirmed"] is False


@pytest.mark.usefixtures("mail")
def test_an_address_that_the_rules_no_longer_take_is_its_own_alone(mine: PageClient, ada: User) -> None:
    change(ada, email="äda@example.org", confirmed_email="äda@example.org")
    assert mine.get("/api/me").get_json()["user"]["email_confirmed"] is True


def test_a_confirmed_address_is_told_that_it_was_given_up(mail: MailServer, mine: PageClient, ada: User) -> None:
    """Where anybody sits at an open browser, no password is asked for that."""
    mine.patch("/api/me", json={"warn_by_email": False})
    for email in ("a@example.org", "A@EXAMPLE.org", "b@example.org"):
        mine.patch("/api/me", json={"email": email})
        assert confirm(mine, addresses.code_at(stored(ada), utc_now())).status_code == 200
    mine.patch("/api/me", json={"email": ""})
    delivery_service.deliver_due()
    assert [each.recipients for each in mail.mails] == [["A@example.org"], ["b@example.org"]]
    assert mail.last.message["Subject"] == "Your account ada no longer has this e-mail address"
    assert "127.0.0.1, " in mail.last.text
    delivery_service.deliver_due()
    assert len(mail.mails) == 2, "once"
    assert not any("@" in notice.facts for notice in notices()), "what was given up is not kept"


def test_an_address_is_told_a_few_times_a_day(mail: MailServer, mine: PageClient, ada: User) -> None:
    for _ in range(7):
        assert confirm(mine, addresses.code_at(stored(ada), utc_now())).status_code == 200
        mine.patch("/api/me", json={"email": ""})
        mine.patch("/api/me", json={"email": ADDRESS})
    delivery_service.deliver_due()
    assert len(mail.mails) == 5


def test_nobody_is_told_of_one_that_proves_nothing_or_of_who_is_disabled(
    mail: MailServer, mine: PageClient, ada: User
) -> None:
    mine.patch("/api/me", json={"email": "other@example.org"})
    assert notices() == []
    confirm(mine, addresses.code_at(stored(ada), utc_now()))
    mine.patch("/api/me", json={"email": ADDRESS})
    change(ada, disabled=True)
    delivery_service.deliver_due()
    assert mail.mails == []
    assert [notice.state for notice in notices()] == ["dropped"]


def test_without_mail_nothing_waits_to_be_told(mine: PageClient, ada: User) -> None:
    change(ada, confirmed_email="ada@example.org")
    assert mine.patch("/api/me", json={"email": ""}).status_code == 200
    assert (stored(ada).confirmed_email, notices()) == (None, [])


@pytest.mark.usefixtures("mail")
def test_a_code_holds_half_an_hour_at_least_and_an_hour_at_most(mine: PageClient, ada: User) -> None:
    assert error_code(confirm(mine, code_of(ada, timedelta(hours=1)))) == "wrong_address_code"
    assert confirm(mine, code_of(ada, timedelta(minutes=30))).status_code == 200


@pytest.mark.usefixtures("mail")
def test_a_code_is_its_persons(mine: PageClient, make_user: MakeUser) -> None:
    eve = make_user("eve", email=ADDRESS)
    assert error_code(confirm(mine, code_of(eve, timedelta()))) == "wrong_address_code"


@pytest.mark.security("reset-letter-bounded")
def test_guesses_and_mails_are_limited(mail: MailServer, mine: PageClient, ada: User) -> None:
    assert [send(mine).status_code for _ in range(6)] == [204] * 5 + [429]
    assert len(mail.mails) == 5
    assert [confirm(mine, "0000-0000-0000-0000").status_code for _ in range(10)] == [403] * 10
    assert confirm(mine, code_of(ada, timedelta())).status_code == 429


@pytest.mark.usefixtures("mail")
def test_without_an_address_there_is_nothing_to_confirm(mine: PageClient, ada: User) -> None:
    change(ada, email=None)
    refused = send(mine)
    assert (refused.status_code, error_code(refused)) == (409, "no_address")
    nobodys = User(id=ada.id, email="")
    assert error_code(confirm(mine, code_of(nobodys, timedelta()))) == "wrong_address_code"
    assert stored(ada).confirmed_email is None


def test_without_mail_no_code_comes(mine: PageClient) -> None:
    assert config.current().mail is None
    refused = send(mine)
    assert (refused.status_code, error_code(refused)) == (502, "mail_not_set_up")


def test_a_mail_that_is_not_taken_is_said(mail: MailServer, mine: PageClient) -> None:
    mail.refusals.append("550 no such person")
    refused = send(mine)
    assert (refused.status_code, error_code(refused)) == (502, "mail_recipient_refused")


@pytest.mark.parametrize("code", ["", "1234", "x" * 1000, "é\x00", "0000-0000-0000-000U"])
@pytest.mark.usefixtures("mail")
def test_what_is_no_code_confirms_nothing(mine: PageClient, ada: User, code: str) -> None:
    assert error_code(confirm(mine, code)) == "wrong_address_code"
    assert stored(ada).confirmed_email is None


@pytest.mark.parametrize(("path", "body"), [(SEND, {"code": "x"}), (CONFIRM, {}), (CONFIRM, {"code": 5})])
def test_what_is_not_as_expected_is_refused(mine: PageClient, path: str, body: Any) -> None:
    assert mine.post(path, json=body).status_code == 422


@pytest.mark.parametrize("path", [SEND, CONFIRM])
def test_whoever_is_signed_out_confirms_nothing(client: PageClient, path: str) -> None:
    assert client.post(path, json={"password": PASSWORD}).status_code == 401


def test_the_page_says_how_it_stands(mail: MailServer, app: Flask, mine: PageClient, ada: User) -> None:
    assert f'data-address="{ADDRESS}"' in mine.get("/account").text
    change(ada, email=None)
    assert 'data-address=""' in mine.get("/account").text
