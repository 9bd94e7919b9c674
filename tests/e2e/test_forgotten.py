"""A forgotten password: an address is confirmed on the account page, and a letter leads back in."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import Words, words
from tests.support import forgotten
from tests.support.brokers import wait_until
from tests.support.mail_server import Mail, MailServer

OLD, NEW = "copper window mountain", "seven paper sailing boats"
# Each language, colour and size with each of the others.
LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]

pytestmark = pytest.mark.browser


def expect_good(page: Page, viewport: Any, locale: str) -> None:
    expect_no_fault(page, locale)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def to(mails: MailServer, address: str, count: int) -> Mail:
    """The newest of so many to this address: notices to others may come at any time."""
    wait_until(lambda: len([mail for mail in mails.mails if mail.recipients == [address]]) == count)
    return [mail for mail in mails.mails if mail.recipients == [address]][-1]


def confirm_address(page: Page, say: Words, address: str) -> None:
    """On the account page."""
    page.get_by_label(say("account.email"), exact=True).fill(address)
    page.locator("[data-warnings-form]").get_by_role("button", name=say("base.save")).click()
    page.get_by_role("button", name=say("account.address_confirm"), exact=True).click()
    proof = page.get_by_role("dialog")
    expect(proof).to_contain_text(say("js.account.address_title", email=address))
    proof.get_by_label(say("auth.password"), exact=True).fill(OLD)
    proof.get_by_role("button", name=say("js.account.address_send")).click()
    asked = page.get_by_role("dialog").filter(has_text=say("js.account.address_sent", email=address))
    expect(asked).to_be_visible()


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_letter_leads_back_in(
    seen: Visits, mailing: Site, mails: MailServer, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, name = words(locale), f"Forgetful-{locale}-{scheme}"
    address = f"{name}@example.org"
    mailing.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": OLD})
    page = seen.open("/login?next=/account", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    entrance.sign_in(page, say, username=name, password=OLD)
    expect(page.get_by_role("button", name=say("account.address_confirm"), exact=True)).to_be_hidden()
    confirm_address(page, say, address)
    expect_good(page, viewport, locale)
    code = page.get_by_label(say("account.address_code"), exact=True)
    code.fill("0000-0000-0000-0000")
    page.get_by_role("button", name=say("account.address_confirm_act"), exact=True).click()
    expect(page.get_by_role("alert").filter(has_text=say("error.wrong_address_code"))).to_be_visible()
    code.fill(forgotten.code_in(to(mails, address, 1)))
    page.get_by_role("button", name=say("account.address_confirm_act"), exact=True).click()
    expect(page.get_by_text(say("account.address_confirmed"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(say("account.address_confirmed"))).to_be_visible()
    expect_good(page, viewport, locale)

    page = seen.open("/login", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect_good(page, viewport, locale)
    page.get_by_role("link", name=say("auth.forgot")).click()
    expect(page.get_by_role("heading", name=say("auth.forgot_title"))).to_be_visible()
    expect(page.get_by_label(say("auth.forgot_account"), exact=True)).to_be_focused()
    expect_good(page, viewport, locale)
    ask(page, say, address if locale == "zh" else name)
    expect_good(page, viewport, locale)
    letter = to(mails, address, 2)
    page.goto(f"/reset#{forgotten.token_in(letter)}")
    entrance.choose_password(page, say, NEW)
    expect(page.locator("[data-greeting]")).to_contain_text(name)


def ask(page: Page, say: Words, account: str) -> None:
    page.get_by_label(say("auth.forgot_account"), exact=True).fill(account)
    page.get_by_role("button", name=say("auth.forgot_send")).click()
    expect(page.get_by_role("main").get_by_role("status")).to_have_text(say("js.forgot_asked"))
    expect(page.get_by_role("button", name=say("auth.forgot_send"))).to_be_hidden()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_stranger_reads_the_same(seen: Visits, locale: str) -> None:
    say = words(locale)
    page = seen.open("/forgot", locale=locale, signed_in=False)
    page.get_by_label(say("auth.forgot_account"), exact=True).fill("nobody@example.org")
    page.get_by_role("button", name=say("auth.forgot_send")).click()
    expect(page.get_by_role("main").get_by_role("status")).to_have_text(say("js.forgot_asked"))
    page.get_by_role("link", name=say("auth.back_to_sign_in")).click()
    expect(page.get_by_role("button", name=say("auth.sign_in"), exact=True)).to_be_visible()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_without_mail_the_pages_say_whom_to_ask(visits: Visits, locale: str) -> None:
    say = words(locale)
    for path in ("/login", "/forgot"):
        page = visits.open(path, locale=locale, signed_in=False)
        expect(page.get_by_text(say("auth.forgotten"))).to_be_visible()
        expect(page.get_by_role("link", name=say("auth.forgot"))).to_have_count(0)
        expect_no_fault(page, locale)
