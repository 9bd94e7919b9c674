"""Whoever is faster than the scripts of a page: what was pressed before they came is done once they have."""

import pytest
from playwright.sync_api import expect

from tests.e2e.held import Held
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.served import PASSWORD

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("late", ["**/shell.js", "**/entrance.js", "**/words/*.js"])
def test_a_button_pressed_before_the_scripts_is_pressed_once(visits: Visits, late: str) -> None:
    page = visits.open("/login", signed_in=False)
    scripts = Held(page, late)
    page.goto("/login", wait_until="commit")
    scripts.wait()
    password = page.locator("#field-password")
    password.fill(PASSWORD)
    show = page.locator("[data-reveal]")
    show.click()
    show.click()
    expect(show).to_have_attribute("aria-pressed", "false")  # nobody hears
    scripts.let_go()
    page.wait_for_load_state()
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(password).to_have_attribute("type", "text")
    show.click()
    expect(show).to_have_attribute("aria-pressed", "false")


def test_a_dialog_asked_for_before_the_scripts_opens(visits: Visits) -> None:
    page = visits.open("/tokens", locale="zh", viewport=PHONE)
    say = words("zh")
    scripts = Held(page, "**/*.js")
    page.goto("/tokens", wait_until="commit")
    scripts.wait()
    page.get_by_role("button", name=say("tokens.new")).first.click()
    scripts.let_go()
    expect(page.get_by_role("dialog")).to_be_visible()
