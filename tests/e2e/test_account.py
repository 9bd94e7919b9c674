"""One's own account: time zone, password, and the browsers one is signed in with."""

from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words

zh, en = words("zh"), words("en")
OLD, NEW = "copper window mountain", "seven paper sailing boats"

pytestmark = pytest.mark.browser


def _person(site: Site, username: str) -> None:
    site.ask("POST", "/api/admin/users", {"username": username, "role": "member", "password": OLD})


def _change_password(page: Page, current: str, new: str, again: str) -> None:
    page.get_by_label(en("auth.current_password"), exact=True).fill(current)
    page.get_by_label(en("auth.new_password"), exact=True).fill(new)
    page.get_by_label(en("auth.repeat_password"), exact=True).fill(again)
    page.get_by_role("button", name=en("auth.save_password")).click()


def test_time_zone_and_signed_in_browsers_are_the_persons_own_to_change(visits: Visits, site: Site) -> None:
    _person(site, "Ada")
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, en, username="Ada", password=OLD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    other = visits.open("/login", locale="zh", signed_in=False)
    entrance.sign_in(other, zh, username="Ada", password=OLD)
    expect(other.locator("[data-greeting]")).to_be_visible()

    page.locator("summary.menu__button").click()
    page.get_by_role("link", name=en("nav.own_account")).click()
    zone = page.get_by_label(en("account.timezone"))
    expect(zone).to_have_value("Asia/Shanghai")
    expect(zone.locator("optgroup option")).to_have_text(["Asia/Shanghai"])
    zone.select_option("America/New_York")
    expect(page.locator("[data-toasts]")).to_contain_text(en("js.account.saved"))
    page.reload()
    expect(zone).to_have_value("America/New_York")

    rows = page.locator("[data-sessions] li")
    expect(rows).to_have_count(2)
    expect(rows.first.get_by_text(en("account.this_browser"))).to_be_visible()
    expect(rows.last.get_by_text(en("devices.is_new"), exact=True)).to_be_visible()
    rows.last.get_by_role("button", name=en("js.account.end_one", name="Chrome · Linux")).click()
    expect(rows).to_have_count(1)
    expect(page.locator("[data-new-device]")).to_have_count(0)
    other.reload()
    expect(other.get_by_role("button", name=zh("auth.sign_in"), exact=True)).to_be_visible()


def test_a_sign_in_from_a_new_browser_is_told_until_it_was_oneself(visits: Visits, site: Site) -> None:
    _person(site, "Nia")
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, en, username="Nia", password=OLD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    for _ in range(2):
        other = visits.open("/login", signed_in=False)
        entrance.sign_in(other, en, username="Nia", password=OLD)
        expect(other.locator("[data-greeting]")).to_be_visible()
        expect(other.locator("[data-new-device]")).to_have_count(0)
    page.reload()
    notice = page.get_by_role("note").filter(has_text="Chrome · Linux")
    expect(notice).to_contain_text(en("devices.more", count=1))
    notice.get_by_role("link", name=en("devices.not_own")).click()
    rows = page.locator("[data-sessions] li")
    marks = rows.get_by_text(en("devices.is_new"), exact=True).filter(visible=True)
    expect(marks).to_have_count(2)
    expect(page.locator("[data-new-devices]")).to_be_visible()
    rows.nth(1).get_by_role("button", name=en("js.account.end_one", name="Chrome · Linux")).click()
    expect(rows).to_have_count(2)
    rows.nth(1).get_by_role("button", name=en("js.account.end_one", name="Chrome · Linux")).hover()
    page.mouse.down(click_count=2)  # the second press of a double one meets the next
    page.mouse.up(click_count=2)
    page.wait_for_timeout(300)
    page.reload()
    expect(rows).to_have_count(2)
    page.locator("[data-new-device]").get_by_role("button", name=en("js.devices.own")).click()
    expect(page.locator("[data-new-device]")).to_have_count(0)
    expect(marks).to_have_count(0)
    expect(page.locator("[data-new-devices]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-new-device]")).to_have_count(0)


def test_a_new_password_ends_other_browsers_and_disturbs_no_tab_of_this_one(visits: Visits, site: Site) -> None:
    _person(site, "Bob")
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, en, username="Bob", password=OLD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    tab = page.context.new_page()
    tab.goto("/dashboard")

    page.goto("/account")
    strength = page.locator("[data-slot=strength]")
    page.get_by_label(en("auth.new_password"), exact=True).fill("Correct Horse Battery Staple")
    expect(strength).to_have_text(en("js.strength_password_common"))
    _change_password(page, OLD, NEW, again=OLD)
    expect(strength).to_have_text(en("js.strength_4"))
    expect(page.get_by_role("alert")).to_have_text(en("js.passwords_differ"))
    _change_password(page, OLD, NEW, again=NEW)
    expect(page.locator("[data-toasts]")).to_contain_text(en("js.account.password_changed"))

    tab.locator("summary.menu__button").click()
    with tab.expect_response(lambda reply: reply.request.method == "PATCH" and reply.ok):
        tab.get_by_role("button", name=en("nav.theme_dark")).click()
    expect(tab.locator(".toast")).to_have_count(0)
    tab.reload()  # the account has kept it
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")


def test_forms_that_are_sent_before_the_scripts_have_come_are_sent_by_them(visits: Visits, site: Site) -> None:
    _person(site, "Early")
    page = visits.open("/login", signed_in=False)
    scripts = Held(page, "**/*.js")
    page.goto("/login", wait_until="commit")
    scripts.wait()
    entrance.sign_in(page, en, username="Early", password=OLD)
    scripts.let_go()
    expect(page.locator("[data-greeting]")).to_be_visible()
    scripts = Held(page, "**/*.js")
    page.goto("/account", wait_until="commit")
    scripts.wait()
    _change_password(page, OLD, NEW, again=NEW)
    scripts.let_go()
    expect(page.locator("[data-toasts]")).to_contain_text(en("js.account.password_changed"))
    assert OLD not in unquote_plus("".join(request.url for request in visits.watch(page).requests))


@pytest.mark.security("nothing-is-kept")
def test_what_one_typed_is_not_there_for_the_next_at_this_browser(visits: Visits, site: Site) -> None:
    for name in ("Dana", "Emil"):
        _person(site, name)
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, en, username="Dana", password=OLD)
    text = page.get_by_label(en("chat.message"), exact=True)
    page.wait_for_url(f"{site.url}/")
    text.fill("Dana's own words")
    page.context.clear_cookies()  # her session ends by itself
    page.goto("/login")
    entrance.sign_in(page, en, username="Emil", password=OLD)
    expect(page.locator("summary.menu__button")).to_have_attribute("aria-label", en("nav.account", name="Emil"))
    expect(text).to_have_value("")
    page.locator("summary.menu__button").click()
    page.locator("[data-sign-out]").click()
    expect(page.get_by_label(en("auth.username"), exact=True)).to_be_visible()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


@pytest.mark.security("no-open-redirect")
@pytest.mark.parametrize("path", ["/.//evil.invalid", "/x/..//evil.invalid", "/%2e//evil.invalid", "//evil.invalid"])
def test_signing_in_leads_to_no_other_site_whatever_the_page_is_told(path: str, visits: Visits, site: Site) -> None:
    name = f"Fay {len(path)} {path[1:3]}"
    _person(site, name)
    page = visits.open(f"/login?next={path}", signed_in=False)
    page.locator("[data-entrance]").evaluate("(form, path) => { form.dataset.next = path }", path)
    entrance.sign_in(page, en, username=name, password=OLD)
    page.wait_for_url(lambda url: not url.partition("?")[0].endswith("/login"))
    assert page.url.startswith(f"{site.url}/")


def test_theme_and_language_chosen_before_the_first_sign_in_stay_here_and_elsewhere(visits: Visits, site: Site) -> None:
    _person(site, "Cleo")
    page = visits.open("/login", locale="zh", signed_in=False)
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name=en("nav.theme_dark")).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    entrance.sign_in(page, en, username="Cleo", password=OLD)
    other = visits.open("/login", locale="zh", signed_in=False)
    entrance.sign_in(other, zh, username="Cleo", password=OLD)
    for device in (page, other):
        expect(device.locator("[data-greeting]")).to_be_visible()
        expect(device.locator("html")).to_have_attribute("data-theme", "dark")
        expect(device.locator("html")).to_have_attribute("lang", "en")
    assert page.evaluate("localStorage.getItem('chosen-before-sign-in')") is None
