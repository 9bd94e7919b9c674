"""Pages enlarged to 200 %, where a window of 1280 × 800 shows 640 × 400: all is there, without sideways scrolling."""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e import accessible
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.test_accessibility import SIGNED_OUT
from tests.e2e.test_dialogs_accessible import OPENERS, PRESSED
from tests.e2e.visits import AT_REST, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ENLARGED: ViewportSize = {"width": 640, "height": 400}
SCALE = 2.0
ADMIN = (
    "users groups limits budgets codes tokens shares keys models prices warnings records reconciliation audit prompts "
    "assistants settings system requests"
)
OWN = (
    "/",
    "/dashboard",
    "/account",
    "/tokens",
    "/tokens/requests",
    "/prompts",
    "/assistants",
    "/supervision",
    "/admin",
)
PAGES = (*OWN, *(f"/admin/{name}" for name in ADMIN.split()))
# Words and controls that stand outside of the window, or whose own box cuts them, and that nothing scrolls to.
CUT_OFF = """() => {
  const wanted = "h1, h2, h3, p, a, button, label, input, select, textarea, td, th, li, dt, dd, summary, legend"
  const unseen = ".visually-hidden, .skip-link, [inert], [aria-hidden=true], dialog:not([open])"
  const styleOf = element => getComputedStyle(element)
  const isWider = element => element.scrollWidth > element.clientWidth + 1
  const scrolls = element => /auto|scroll/.test(styleOf(element).overflowX) && isWider(element)
  const isReached = element => Boolean(element && (scrolls(element) || isReached(element.parentElement)))
  const isOutside = ({ left, right, width }) => width > 0 && (left < -1 || right > innerWidth + 1)
  const isShortened = element => styleOf(element).textOverflow === "ellipsis"
  const clips = element => /hidden|clip/.test(styleOf(element).overflowX) && !isShortened(element)
  return [...document.querySelectorAll(wanted)]
    .filter(element => element.checkVisibility() && !element.closest(unseen))
    .filter(element => clips(element) && isWider(element)
      || isOutside(element.getBoundingClientRect()) && !isReached(element))
    .map(element => element.outerHTML.slice(0, 160))
}"""

# What of a dialog, menu or list that is open cannot be brought into the window, in which it may scroll.
OUT_OF_REACH = """() => {
  const open = ":is(dialog[open], :popover-open, .sidebar--open)"
  const seen = element => element.checkVisibility() && !element.closest(".visually-hidden")
  const controls = [...document.querySelectorAll(`${open} :is(button, a, input)`)].filter(seen)
  return controls.filter(element => {
    element.scrollIntoView({ block: "nearest" })
    const { top, bottom } = element.getBoundingClientRect()
    return top < -1 || bottom > innerHeight + 1
  }).map(element => element.outerHTML.slice(0, 160))
}"""
IN_LIST = ("_account_menu", "_conversation_menu", "_rename", "_delete")

pytestmark = pytest.mark.browser


def expect_all_there(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.documentElement.scrollWidth") <= ENLARGED["width"]
    assert page.evaluate(CUT_OFF) == []


def expect_reached(page: Page) -> None:
    """All that can be used of what is open."""
    page.evaluate(AT_REST)
    expect_all_there(page)
    assert page.evaluate(OUT_OF_REACH) == []


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_no_sideways_scrolling(path: str, locale: str, visits: Visits) -> None:
    expect_all_there(visits.open(path, locale=locale, viewport=ENLARGED, scale=SCALE))


@pytest.mark.parametrize("style", ["inline-size: 900px", "inline-size: 90px; overflow: hidden; white-space: nowrap"])
def test_what_is_cut_off_is_found(style: str, visits: Visits) -> None:
    page = visits.open("/account", viewport=ENLARGED, scale=SCALE)
    expect_all_there(page)
    page.locator("main p").first.evaluate("(words, style) => words.style.cssText = style", style)
    assert len(page.evaluate(CUT_OFF)) == 1


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_signing_in_is_all_there(locale: str, visits: Visits) -> None:
    page = visits.open("/login", locale=locale, viewport=ENLARGED, scale=SCALE, signed_in=False)
    expect_all_there(page)
    button = page.get_by_role("button", name=words(locale)("auth.sign_in"), exact=True)
    button.scroll_into_view_if_needed()
    expect(button).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("name", [name for name in SIGNED_OUT if name != "login"])
def test_pages_before_sign_in_are_all_there(name: str, visits: Visits) -> None:
    expect_all_there(visits.open(SIGNED_OUT[name], viewport=ENLARGED, scale=SCALE, signed_in=False))


@pytest.mark.parametrize("opening", OPENERS, ids=lambda opening: opening.__name__.strip("_"))
def test_what_opens_above_a_page_is_all_there(opening: Any, visits: Visits, conversation: str) -> None:
    page = visits.open("/", viewport=ENLARGED, scale=SCALE)
    if opening.__name__ in IN_LIST:
        page.locator("[data-drawer-open]").click()
        expect(page.locator("[data-conversation]").first).to_be_visible()
    opening(page, words("en"))
    expect_reached(page)


@pytest.mark.parametrize("button", PRESSED)
def test_what_one_press_opens_is_all_there(button: str, visits: Visits, conversation: str) -> None:
    page = visits.open(PRESSED[button], locale="zh", viewport=ENLARGED, scale=SCALE)
    page.locator(button).locator("visible=true").first.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    expect_reached(page)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_palette_the_map_of_the_keys_and_the_list_are_all_there(locale: str, talk: str, visits: Visits) -> None:
    page = visits.open(talk, locale=locale, viewport=ENLARGED, scale=SCALE)
    for keys, shown in (("Control+k", "#palette"), ("?", "#keys-dialog")):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(keys)
        expect(page.locator(shown)).to_be_visible()
        expect_reached(page)
        page.keyboard.press("Escape")
        expect(page.locator(shown)).to_be_hidden()
    page.locator("[data-drawer-open]").click()
    expect(page.locator("[data-conversation]").first).to_be_visible()
    expect_reached(page)


@pytest.fixture(scope="module")
def talk(site: Site) -> str:
    return accessible.talk(site)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_conversation_is_read_and_written_in(
    locale: str, talk: str, visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open(talk, locale=locale, viewport=ENLARGED, scale=SCALE), words(locale))
    expect(chat.answers).not_to_have_count(0)
    expect_all_there(chat.page)
    assert chat.page.locator("[data-thread]").evaluate("thread => thread.clientHeight") >= 120, "room to read"
    script.script(Answer("It is seen."))
    chat.text.fill("line\n" * 12)
    expect(chat.text).to_be_in_viewport(ratio=0.9)
    expect(chat.send_button).to_be_in_viewport(ratio=1)
    assert chat.page.locator("[data-thread]").evaluate("thread => thread.clientHeight") >= 60, "still some"
    chat.ask("Can you be seen?")
    expect(chat.prose).to_be_in_viewport(ratio=1)
    expect_all_there(chat.page)
