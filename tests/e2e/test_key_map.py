"""The map of the keys: on every page that has the palette, and on no phone."""

import pytest
from playwright.sync_api import expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.keyboard import Keyboard
from tests.e2e.visits import PHONE, Scheme, Visits
from tests.e2e.words import words
from tests.support.served import USERNAME

say = words("en")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
def test_a_question_mark_shows_the_keys(visits: Visits, locale: str, scheme: Scheme) -> None:
    say_ = words(locale)
    page = visits.open("/", locale=locale, scheme=scheme)
    dialog = page.get_by_role("dialog", name=say_("chat.keys"))
    keys = Keyboard(page)
    keys.type("why?")
    expect(dialog).to_be_hidden()
    page.locator(".sidebar__new").focus()
    keys.press("?")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("term")).to_have_count(10)
    keys.press("?")
    keys.press("Control+k")
    expect(dialog).to_be_visible()
    expect_no_violation(page)
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_label(say_("nav.account", name=USERNAME)).click()
    page.get_by_role("button", name=say_("chat.keys")).click()
    expect(dialog).to_be_visible()


def test_the_question_mark_can_be_given_up(visits: Visits) -> None:
    """A single key must not have to do something (WCAG 2.2, 2.1.4): who speaks to the browser says it by chance."""
    page = visits.open("/")
    dialog = page.get_by_role("dialog", name=say("chat.keys"))
    page.locator(".sidebar__new").focus()
    page.keyboard.press("?")
    dialog.get_by_label(say("chat.key_alone")).uncheck()
    page.keyboard.press("Escape")
    for _ in range(2):
        page.locator(".sidebar__new").focus()
        page.keyboard.press("?")
        expect(dialog).to_be_hidden()
        page.reload(wait_until="networkidle")
    page.get_by_label(say("nav.account", name=USERNAME)).click()
    page.get_by_role("button", name=say("chat.keys")).click()
    dialog.get_by_label(say("chat.key_alone")).check()
    page.keyboard.press("Escape")
    page.locator(".sidebar__new").focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


def test_with_fingers_and_keys_both_the_map_says_what_sends(visits: Visits) -> None:
    page = visits.open("/", viewport=PHONE)
    page.wait_for_load_state("networkidle")
    page.locator("body").dispatch_event("keydown", {"key": "?", "bubbles": True})
    dialog = page.get_by_role("dialog", name=say("chat.keys"))
    row = dialog.locator(".key-map__row").filter(has_text=say("chat.key_send")).filter(visible=True)
    expect(row.locator("kbd")).to_have_text(["Ctrl", "Enter"])


@pytest.mark.parametrize("path", ["/dashboard", "/admin/records", "/account"])
def test_the_keys_are_shown_wherever_the_palette_is(visits: Visits, path: str) -> None:
    page = visits.open(path, locale="zh")
    dialog = page.get_by_role("dialog", name=words("zh")("chat.keys"))
    page.wait_for_load_state("networkidle")
    for key in ("?", "？"):  # the second is what a Chinese input method makes of it
        page.locator("body").dispatch_event("keydown", {"key": key, "bubbles": True})
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()


def test_a_phone_without_keys_has_no_map_of_them(visits: Visits) -> None:
    page = visits.open("/", viewport=PHONE)
    page.get_by_role("button", name=say("chat.open_list")).click()
    page.get_by_label(say("nav.account", name=USERNAME)).click()
    expect(page.get_by_role("button", name=say("nav.sign_out"))).to_be_visible()
    expect(page.get_by_role("button", name=say("chat.keys"))).to_be_hidden()
