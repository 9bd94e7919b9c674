"""Passkeys in a browser that has a device to keep them: added, signed in with, named, removed."""

import dataclasses
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import Words, words
from tests.support.served import PASSWORD

zh, en = words("zh"), words("en")
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

# A device that is there answers what the name's field asks for at once, and nobody comes to press the button.
BUTTON_ALONE = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"

pytestmark = pytest.mark.browser


@pytest.fixture
def at_home(browser: Browser, site: Site) -> Iterator[Visits]:
    """Visits at the site's name: browsers make no passkeys for an address of numbers."""
    server = dataclasses.replace(site.server, base_url=site.url.replace("127.0.0.1", "localhost"))
    made = Visits(browser, dataclasses.replace(site, server=server))
    yield made
    assert made.close() == []


class Device:
    """What the browser of a page keeps passkeys on; its person is there and shows a finger, until they are away."""

    def __init__(self, page: Page) -> None:
        self._protocol = page.context.new_cdp_session(page)
        self._protocol.send("WebAuthn.enable")
        made = self._protocol.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        self._about = {"authenticatorId": made["authenticatorId"]}

    def be_there(self, *, there: bool) -> None:
        self._protocol.send("WebAuthn.setAutomaticPresenceSimulation", self._about | {"enabled": there})

    def verify(self, *, right: bool) -> None:
        self._protocol.send("WebAuthn.setUserVerified", self._about | {"isUserVerified": right})

    def forget(self) -> None:
        self._protocol.send("WebAuthn.clearCredentials", self._about)


def _person(site: Site, username: str) -> str:
    wanted = {"username": username, "role": "member", "password": PASSWORD}
    return str(site.ask("POST", "/api/admin/users", wanted)["user"]["id"])


def _card(page: Page) -> Locator:
    return page.locator("[data-passkeys]")


def _add(page: Page, say: Words) -> None:
    """On the account page, as far as the password leads."""
    _card(page).get_by_role("button", name=say("passkeys.add")).click()
    proof = page.get_by_role("dialog", name=say("js.passkeys.add_title"))
    proof.get_by_label(say("auth.password"), exact=True).fill(PASSWORD)
    proof.get_by_role("button", name=say("js.account.continue")).click()


def _sign_out(page: Page, say: Words) -> None:
    page.locator("summary.menu__button").click()
    page.locator("[data-sign-out]").click()
    expect(page.get_by_label(say("auth.username"), exact=True)).to_be_visible()


def _expect_in(page: Page, username: str) -> None:
    expect(page.locator("[data-greeting]")).to_contain_text(username)


def _come_in(page: Page, say: Words, username: str) -> None:
    entrance.sign_in(page, say, username=username, password=PASSWORD)
    _expect_in(page, username)


def _rename(page: Page, rows: Locator, name: str) -> None:
    rows.get_by_role("button", name="Rename").click()
    naming = page.get_by_role("dialog")
    expect(naming.get_by_label(en("passkeys.name"), exact=True)).to_be_focused()
    naming.get_by_label(en("passkeys.name"), exact=True).fill(" ")
    naming.get_by_role("button", name=en("base.save")).click()
    expect(naming.get_by_role("alert")).to_have_text(en("error.bad_passkey_name", limit=64))
    naming.get_by_label(en("passkeys.name"), exact=True).fill(name)
    naming.get_by_role("button", name=en("base.save")).click()
    expect(rows).to_contain_text(name)
    expect(rows.get_by_role("button", name=en("js.passkeys.rename_one", name=name))).to_be_focused()


def _remove(page: Page, rows: Locator, name: str) -> None:
    rows.get_by_role("button", name=en("js.passkeys.remove_one", name=name)).click()
    proof = page.get_by_role("dialog", name=en("js.passkeys.remove_title", name=name))
    proof.get_by_label(en("auth.password"), exact=True).fill("not the password")
    proof.get_by_role("button", name=en("js.passkeys.remove")).click()
    expect(proof.get_by_role("alert")).to_have_text(en("error.wrong_password"))
    proof.get_by_label(en("auth.password"), exact=True).fill(PASSWORD)
    proof.get_by_role("button", name=en("js.passkeys.remove")).click()
    expect(rows).to_have_count(0)


def test_a_passkey_from_its_first_use_to_its_last(at_home: Visits, site: Site) -> None:
    _person(site, "Petra")
    page = at_home.open("/login", signed_in=False)
    Device(page)
    page.add_init_script(BUTTON_ALONE)
    _come_in(page, en, "Petra")
    page.goto("/account")
    _add(page, en)
    rows = _card(page).get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(en("js.passkeys.never_used"))
    expect_no_fault(page, "en")

    _sign_out(page, en)
    expect(page.get_by_label(en("auth.username"), exact=True)).to_have_attribute("autocomplete", "username webauthn")
    page.get_by_role("button", name=en("passkeys.sign_in")).click()
    _expect_in(page, "Petra")

    page.goto("/account")
    expect(rows).not_to_contain_text(en("js.passkeys.never_used"))
    _rename(page, rows, "Petra's laptop")
    _remove(page, rows, "Petra's laptop")
    page.reload()
    expect(rows).to_have_count(0)

    _sign_out(page, en)
    page.get_by_role("button", name=en("passkeys.sign_in")).click()
    expect(page.get_by_role("alert")).to_have_text(en("error.passkey_refused"))
    _come_in(page, en, "Petra")


def _an_administrator_removes_them(at_home: Visits, name: str) -> None:
    admin = at_home.open(f"/admin/users?q={name}", locale="zh", viewport=PHONE)
    row = admin.get_by_role("row").filter(has_text=name)
    expect(row.get_by_text(zh("admin.passkeys"), exact=True)).to_be_visible()
    row.get_by_role("button", name=zh("js.admin.actions_for", name=name)).click()
    admin.locator("[data-row-menu]").get_by_text(zh("admin.reset_link")).click()
    asked = admin.get_by_role("alertdialog")
    expect(asked).to_contain_text(zh("js.admin.reset_text_passkeys"))
    expect_no_fault(admin, "zh")
    asked.get_by_role("button", name=zh("base.cancel")).click()
    row.get_by_role("button", name=zh("js.admin.actions_for", name=name)).click()
    admin.locator("[data-row-menu]").get_by_text(zh("admin.remove_passkeys")).click()
    admin.get_by_role("alertdialog").get_by_role("button", name=zh("js.admin.passkeys_action")).click()
    expect(row.get_by_text(zh("admin.passkeys"), exact=True)).to_be_hidden()


def test_on_a_phone_in_the_dark_what_the_browser_refuses_is_said(at_home: Visits, site: Site) -> None:
    person = _person(site, "阿明")
    page = at_home.open("/login", locale="zh", viewport=PHONE, signed_in=False)
    device = Device(page)
    expect(page.get_by_role("button", name=zh("passkeys.sign_in"))).to_be_visible()
    expect_no_fault(page, "zh")
    page.get_by_role("button", name=zh("passkeys.sign_in")).click()
    expect(page.get_by_role("alert")).to_have_text(zh("js.passkeys.given_up"))
    _come_in(page, zh, "阿明")
    page.goto("/account")
    device.verify(right=False)
    _add(page, zh)
    expect(page.locator("[data-toasts]")).to_contain_text(zh("js.passkeys.given_up"))
    device.verify(right=True)
    _add(page, zh)
    rows = _card(page).get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect_no_fault(page, "zh")
    _add(page, zh)
    expect(page.locator("[data-toasts]")).to_contain_text(zh("js.passkeys.held"))
    expect(rows).to_have_count(1)

    _an_administrator_removes_them(at_home, "阿明")
    page.reload()
    expect(page.get_by_label(zh("auth.username"), exact=True)).to_be_visible()
    assert not site.rows("SELECT id FROM passkeys WHERE user_id = :person", person=person)


def test_a_passkey_is_chosen_in_the_field_of_the_name(at_home: Visits, site: Site) -> None:
    """The browser offers it there by itself, and nothing is pressed."""
    _person(site, "Quinn")
    page = at_home.open("/login", signed_in=False)
    device = Device(page)
    _come_in(page, en, "Quinn")
    page.goto("/account")
    _add(page, en)
    expect(_card(page).get_by_role("listitem")).to_have_count(1)
    device.be_there(there=False)
    _sign_out(page, en)
    page.get_by_label(en("auth.username"), exact=True).click()
    device.be_there(there=True)
    page.reload()
    _expect_in(page, "Quinn")


def test_at_an_address_of_numbers_the_card_says_why_there_are_none(visits: Visits) -> None:
    page = visits.open("/account")
    expect(_card(page)).to_contain_text(en("error.passkeys_need_name"))
    expect(_card(page).get_by_role("button")).to_have_count(0)
    entry = visits.open("/login", signed_in=False)
    expect(entry.get_by_role("button", name=en("auth.sign_in"), exact=True)).to_be_visible()
    expect(entry.get_by_role("button", name=en("passkeys.sign_in"))).to_have_count(0)
