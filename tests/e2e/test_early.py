"""Whoever is faster than the scripts of a page: what was pressed before they came is done once they have."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e import entrance
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.served import PASSWORD

LATE = [("**/shell.js", False), ("**/words/*.js", False), ("**/entrance.js", True)]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("late", "is_heard"), LATE)
def test_a_button_pressed_before_the_scripts_is_pressed_once(visits: Visits, late: str, is_heard: bool) -> None:
    page = visits.open("/login", signed_in=False)
    scripts = Held(page, late)
    page.goto("/login", wait_until="commit")
    scripts.wait()
    password = page.locator("#field-password")
    password.fill(PASSWORD)
    show = page.locator("[data-reveal]")
    if not is_heard:
        show.click()
        show.click()
        expect(show).to_have_attribute("aria-pressed", "false")
    else:
        expect_pressed_once_heard(show)
    scripts.let_go()
    page.wait_for_load_state()
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(password).to_have_attribute("type", "text")
    show.click()
    expect(show).to_have_attribute("aria-pressed", "false")


def expect_pressed_once_heard(show: Locator) -> None:
    """The scripts of every page come before those of this one."""
    for _ in range(60):
        before = show.get_attribute("aria-pressed")
        show.click()
        if show.get_attribute("aria-pressed") != before:
            return
        show.page.wait_for_timeout(500)
    raise AssertionError("nobody heard")


def test_what_is_pressed_elsewhere_meanwhile_is_no_reason_to_go_back(visits: Visits) -> None:
    page = visits.open("/login", signed_in=False)
    scripts = Held(page, "**/*.js")
    page.goto("/login", wait_until="commit")
    scripts.wait()
    show = page.locator("[data-reveal]")
    show.click()
    page.locator("#field-username").click()
    scripts.let_go()
    page.wait_for_load_state()
    expect(show).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#field-username")).to_be_focused()


def test_a_new_browser_is_confirmed_before_the_scripts(visits: Visits, site: Site) -> None:
    site.ask("POST", "/api/admin/users", {"username": "early bird", "role": "member", "password": PASSWORD})
    say = words("en")
    page, newer = (visits.open("/login?next=/account", signed_in=False) for _ in range(2))
    for each in (page, newer):
        entrance.sign_in(each, say, username="early bird", password=PASSWORD)
        each.wait_for_url(f"{site.url}/account")
    scripts = Held(page, "**/new-device.js")
    page.goto("/dashboard", wait_until="commit")
    scripts.wait()
    page.get_by_role("button", name=say("js.devices.own")).click()
    scripts.let_go()
    expect(page.locator("[data-new-device]")).to_have_count(0)


def test_a_dialog_asked_for_before_the_scripts_opens(visits: Visits) -> None:
    page = visits.open("/tokens", locale="zh", viewport=PHONE)
    say = words("zh")
    scripts = Held(page, "**/*.js")
    page.goto("/tokens", wait_until="commit")
    scripts.wait()
    page.get_by_role("button", name=say("tokens.new")).first.click()
    scripts.let_go()
    expect(page.get_by_role("dialog")).to_be_visible()
