"""Signing in with a phone beside the password: turned on, used, lost, turned off."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import entrance
from tests.e2e.clipboard import copied
from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import NARROWEST, Visits
from tests.e2e.words import words
from tests.support import authenticator
from tests.support.served import PASSWORD

en = words("en")
NEW = "seven paper sailing boats"

pytestmark = pytest.mark.browser


def _person(site: Site, username: str) -> str:
    wanted = {"username": username, "role": "member", "password": PASSWORD}
    return str(site.ask("POST", "/api/admin/users", wanted)["user"]["id"])


def _sign_in(page: Page, username: str) -> None:
    """As far as the password leads."""
    entrance.sign_in(page, en, username=username, password=PASSWORD)


def _expect_in(page: Page, username: str) -> None:
    expect(page.locator("[data-greeting]")).to_contain_text(username)


def _sign_out(page: Page) -> None:
    page.locator("summary.menu__button").click()
    page.locator("[data-sign-out]").click()
    expect(page.get_by_label(en("auth.username"), exact=True)).to_be_visible()


def _card(page: Page) -> Locator:
    return page.locator("[data-second-step]")


def _turn_on(page: Page) -> tuple[str, list[str]]:
    """On the account page: the secret, and the recovery codes as they are shown, with their dialog still open."""
    page.goto("/account")
    _card(page).get_by_role("button", name=en("account.turn_on")).click()
    proof = page.get_by_role("dialog", name=en("js.account.turn_on_title"))
    proof.get_by_label(en("auth.password"), exact=True).fill("not the password")
    proof.get_by_role("button", name=en("js.account.continue")).click()
    expect(proof.get_by_role("alert")).to_have_text(en("error.wrong_password"))
    proof.get_by_label(en("auth.password"), exact=True).fill(PASSWORD)
    proof.get_by_role("button", name=en("js.account.continue")).click()
    app = page.get_by_role("dialog", name=en("account.set_up", brand=en("base.brand")))
    assert app.get_by_role("img").evaluate("async image => { await image.decode(); return image.naturalWidth }") > 30
    shown = app.locator("#app-secret").inner_text()
    assert [len(group) for group in shown.split(" ")] == [4] * 8
    secret = shown.replace(" ", "")
    assert f"secret={secret}" in (app.get_by_role("link").get_attribute("href") or "")
    app.get_by_label(en("account.first_code"), exact=True).fill(authenticator.wrong(secret))
    app.get_by_role("button", name=en("account.turn_on")).click()
    expect(app.get_by_role("alert")).to_have_text(en("error.wrong_second_step_code"))
    app.get_by_label(en("account.first_code"), exact=True).fill(authenticator.code(secret))
    app.get_by_role("button", name=en("account.turn_on")).click()
    made = page.locator("[data-made]")
    expect(made).to_be_visible()
    return secret, made.input_value().split("\n")


def _keep(page: Page, codes: list[str]) -> None:
    """Copy the recovery codes, download them, and close their dialog: no page has them any more."""
    dialog = page.get_by_role("dialog", name=en("account.recovery_codes"))
    assert copied(page, dialog.get_by_role("button", name=en("base.copy")).click) == "\n".join(codes)
    with page.expect_download() as download:
        dialog.get_by_role("link", name=en("account.download")).click()
    assert download.value.suggested_filename == "mingchat-recovery-codes.txt"
    file = Path(download.value.path()).read_text(encoding="utf-8")
    assert [line for line in file.splitlines() if line in codes] == codes
    dialog.get_by_role("button", name=en("account.done")).click()
    expect(page.locator("[data-made]")).to_have_value("")
    expect(page.locator("#app-secret")).to_be_empty()


def _turn_off(page: Page, code: str) -> None:
    _card(page).get_by_role("button", name=en("account.turn_off")).click()
    off = page.get_by_role("dialog", name=en("js.account.turn_off_title"))
    off.get_by_label(en("auth.password"), exact=True).fill(PASSWORD)
    off.get_by_role("button", name=en("js.second_step.use_recovery_code")).click()
    off.get_by_label(en("js.second_step.recovery_code"), exact=True).fill(code)
    off.get_by_role("button", name=en("js.account.turn_off")).click()
    expect(_card(page)).to_contain_text(en("js.account.off"))


def test_the_second_step_from_its_first_code_to_its_last(visits: Visits, site: Site) -> None:
    _person(site, "Iris")
    page, other = (visits.open("/login", signed_in=False) for _ in range(2))
    for browser in (page, other):
        _sign_in(browser, "Iris")
        _expect_in(browser, "Iris")
    secret, codes = _turn_on(page)
    assert len(codes) == 10
    _keep(page, codes)
    expect(_card(page)).to_contain_text(en("js.account.codes_left", count=10))
    rows = page.locator("[data-sessions] li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text(en("account.this_browser"))
    expect(rows.last).to_contain_text(en("js.devices.gone", time="").partition(", ")[2])  # it was new to her
    other.reload()
    expect(other.get_by_label(en("auth.username"), exact=True)).to_be_visible()

    _sign_out(page)
    _sign_in(page, "Iris")
    entrance.give_code(page, en, authenticator.wrong(secret))
    expect(page.get_by_role("alert")).to_have_text(en("error.wrong_second_step_code"))
    entrance.give_code(page, en, authenticator.code(secret, steps=1))
    _expect_in(page, "Iris")

    _sign_out(page)
    _sign_in(page, "Iris")
    expect(page.get_by_text(en("auth.lost_phone"))).to_be_visible()
    entrance.give_code(page, en, codes[0].lower(), recovery=True)
    _expect_in(page, "Iris")

    page.goto("/account")
    expect(_card(page)).to_contain_text(en("js.account.codes_left", count=9))
    _turn_off(page, codes[1])
    page.reload()
    expect(_card(page)).to_contain_text(en("js.account.off"))
    _sign_out(page)
    _sign_in(page, "Iris")
    _expect_in(page, "Iris")


def test_few_recovery_codes_are_said_and_renewed(visits: Visits, site: Site) -> None:
    _person(site, "Juno")
    page = visits.open("/login", viewport=NARROWEST, signed_in=False)
    _sign_in(page, "Juno")
    expect(page.locator("[data-greeting]")).to_be_visible()
    _, codes = _turn_on(page)
    page.get_by_role("button", name=en("account.done")).click()
    few = _card(page).get_by_text(en("account.few_recovery_codes"))
    expect(few).to_be_hidden()
    for code in codes[:7]:
        page.context.clear_cookies()
        page.goto("/login")
        _sign_in(page, "Juno")
        entrance.give_code(page, en, code, recovery=True)
        expect(page.locator("[data-greeting]")).to_be_visible()
    page.goto("/account")
    expect(few).to_be_visible()
    _card(page).get_by_role("button", name=en("account.new_recovery_codes")).click()
    proof = page.get_by_role("dialog", name=en("js.account.renew_title"))
    proof.get_by_label(en("auth.password"), exact=True).fill(PASSWORD)
    proof.get_by_role("button", name=en("js.second_step.use_recovery_code")).click()
    proof.get_by_label(en("js.second_step.recovery_code"), exact=True).fill(codes[7])
    proof.get_by_role("button", name=en("js.account.renew")).click()
    expect(page.locator("[data-made]")).to_be_visible()
    renewed = page.locator("[data-made]").input_value().split("\n")
    assert len({*codes, *renewed}) == 20
    page.get_by_role("button", name=en("account.done")).click()
    expect(few).to_be_hidden()
    expect(_card(page)).to_contain_text(en("js.account.codes_left", count=10))


def test_by_keyboard_alone_and_back_to_the_password_after_five_wrong_codes(visits: Visits, site: Site) -> None:
    _person(site, "Kim")
    page = visits.open("/login", signed_in=False)
    _sign_in(page, "Kim")
    expect(page.locator("[data-greeting]")).to_be_visible()
    secret, codes = _turn_on(page)
    page.get_by_role("button", name=en("account.done")).click()
    page.context.clear_cookies()
    page.goto("/login")
    keys = Keyboard(page)
    keys.type("Kim")
    keys.go_to(page.get_by_label(en("auth.password"), exact=True))
    keys.type(PASSWORD)
    keys.press("Enter")
    code = page.get_by_label(en("js.second_step.code"), exact=True)
    expect(code).to_be_focused()
    assert code.evaluate("field => [field.inputMode, field.autocomplete]") == ["numeric", "one-time-code"]
    wrong = authenticator.wrong(secret)
    for _ in range(5):
        with page.expect_response("**/api/login/second-step"):
            code.fill(wrong)
            keys.press("Enter")
        expect(page.get_by_role("alert")).to_have_text(en("error.wrong_second_step_code"))
    keys.press("Enter")
    expect(page.get_by_role("alert")).to_have_text(en("error.sign_in_expired"))
    expect(page.get_by_label(en("auth.password"), exact=True)).to_be_focused()
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(code).to_be_focused()
    keys.use(page.get_by_role("button", name=en("js.second_step.use_recovery_code")))
    expect(page.get_by_label(en("js.second_step.recovery_code"), exact=True)).to_be_focused()
    keys.type(codes[0])
    keys.press("Enter")
    expect(page.locator("[data-greeting]")).to_be_visible()


def test_a_password_link_asks_for_the_code_and_an_administrator_helps_who_lost_both(
    look: Look, visits: Visits, site: Site
) -> None:
    name = f"Lena {look.locale}"
    person = _person(site, name)
    page = visits.open("/login", signed_in=False)
    _sign_in(page, name)
    expect(page.locator("[data-greeting]")).to_be_visible()
    _, codes = _turn_on(page)
    link = f"/reset#{site.ask('POST', f'/api/admin/users/{person}/reset-link')['token']}"
    by_link = visits.open(link, signed_in=False)
    entrance.choose_password(by_link, en, NEW)
    expect(by_link.get_by_label(en("js.second_step.code"), exact=True)).to_be_focused()
    by_link.get_by_role("button", name=en("js.second_step.use_recovery_code")).click()
    by_link.get_by_label(en("js.second_step.recovery_code"), exact=True).fill(codes[0])
    by_link.get_by_role("button", name=en("auth.save_and_sign_in")).click()
    _expect_in(by_link, name)

    say, admin = look.say, look.open(visits, f"/admin/users?q={name}")
    row = admin.get_by_role("row").filter(has_text=name)
    expect(row.get_by_text(say("admin.second_step"), exact=True)).to_be_visible()
    row.get_by_role("button", name=say("js.admin.actions_for", name=name)).click()
    admin.locator("[data-row-menu]").get_by_text(say("admin.turn_off_second_step")).click()
    look.expect_no_fault(admin)
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.second_step_action")).click()
    expect(row.get_by_text(say("admin.second_step"), exact=True)).to_be_hidden()
    by_link.reload()
    expect(by_link.get_by_label(en("auth.username"), exact=True)).to_be_visible()
    entrance.sign_in(by_link, en, username=name, password=NEW)
    _expect_in(by_link, name)
