"""Thousands of conversations in the list: what is near is drawn, all of it is reached, and what one is on stays."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.e2e.written import leave_only
from tests.support.brokers import wait_until

say = words("en")
COUNT = 2_000
DRAWN_BEFORE = 10  # entries at least, on either side
MOST_DRAWN = 200  # a list of a page more than is drawn at once is drawn whole
TITLES = [f"Conversation {at:04}" for at in range(COUNT)]
SCROLLER = "document.querySelector('[data-recent]')"
TO_END = f"() => {{ {SCROLLER}.scrollTop = {SCROLLER}.scrollHeight }}"
TO = f"top => {{ {SCROLLER}.scrollTop = top }}"
DRAWN = "() => document.querySelectorAll('[data-recent] [data-conversation]').length"
IS_WHOLE = "() => document.querySelector('[data-recent] > [data-list-more]').hidden"
# The titles that are seen, one each entry's height, from the top of the list to its bottom; null for anything else.
SEEN = f"""() => {{
  const {{left, top, bottom}} = {SCROLLER}.getBoundingClientRect()
  const seen = []
  for (let y = top + 4; y < bottom - 4; y += 8) {{
    const entry = document.elementFromPoint(left + 40, y)?.closest("[data-conversation], h2")
    const title = entry?.querySelector("[data-slot=title]")?.textContent ?? entry?.localName ?? null
    if (seen.at(-1) !== title) seen.push(title)
  }}
  return seen
}}"""
FRAME = "() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
ON = "() => document.activeElement.closest('[data-conversation]')?.querySelector('[data-slot=title]').textContent ?? ''"

pytestmark = pytest.mark.browser


@pytest.fixture
def many(site: Site) -> Iterator[list[str]]:
    """Of two years."""
    yield leave_only(site, *TITLES, apart=timedelta(hours=9))
    leave_only(site)


def opened(visits: Visits, path: str = "/", *, is_phone: bool = False) -> Page:
    page = visits.open(path, viewport=PHONE if is_phone else WIDE)
    if is_phone:
        page.get_by_role("button", name=say("chat.open_list")).tap()
    expect(entry(page, 0)).to_be_visible()
    page.evaluate(AT_REST)
    return page


def entry(page: Page, at: int) -> Locator:
    return page.locator("[data-recent]").get_by_role("link", name=TITLES[at], exact=True)


def load_all(page: Page) -> None:
    """By scrolling to the end until there is no more; never is more drawn than may be."""

    def is_whole() -> bool:
        page.evaluate(TO_END)
        page.evaluate(FRAME)
        assert page.evaluate(DRAWN) <= MOST_DRAWN
        return bool(page.evaluate(IS_WHOLE))

    wait_until(is_whole, 60)
    page.evaluate(TO_END)
    expect(entry(page, COUNT - 1)).to_be_in_viewport()


def seen(page: Page) -> list[Any]:
    page.evaluate(FRAME)
    return list(page.evaluate(SEEN))


@pytest.mark.parametrize("is_phone", [False, True], ids=["wide", "phone"])
def test_it_is_scrolled_to_its_end_and_back_without_all_of_it_being_drawn(
    visits: Visits, many: list[str], is_phone: bool
) -> None:
    page = opened(visits, is_phone=is_phone)
    load_all(page)
    height = page.evaluate(f"{SCROLLER}.scrollHeight")
    for part in range(12, -1, -1):
        page.evaluate(TO, height * part / 13)
        titles = [title for title in seen(page) if title != "h2"]
        first = TITLES.index(next(title for title in titles if title))
        assert [title for title in titles if title] == TITLES[first : first + len([each for each in titles if each])]
        assert len([title for title in titles if title]) > 7
        assert page.evaluate(DRAWN) <= MOST_DRAWN
        assert page.evaluate(f"{SCROLLER}.scrollHeight") == height, "what is not drawn leaves its room"
    expect(entry(page, 0)).to_be_in_viewport()


@pytest.mark.each_case
@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_a_page_that_did_not_come_is_asked_for_again_in_its_place(
    visits: Visits, many: list[str], locale: str, viewport: ViewportSize
) -> None:
    told = words(locale)
    page = visits.open("/", locale=locale, viewport=viewport)
    if viewport == PHONE:
        page.get_by_role("button", name=told("chat.open_list")).tap()
    lists = page.locator("[data-recent]")
    expect(entry(page, 0)).to_be_visible()
    expect(lists.get_by_role("button", name=told("base.retry"))).to_have_count(0)
    page.route("**/unfiled?*before=*", lambda route: route.fulfill(status=500, body=""))
    page.evaluate(TO_END)
    expect(lists.get_by_role("alert")).to_have_text(told("js.error.server", status=500))
    expect(page.locator(".toast")).to_have_count(0)
    again = lists.get_by_role("button", name=told("base.retry"))
    again.click()
    expect(again).not_to_have_attribute("aria-busy", "true")
    expect(lists.get_by_role("alert")).to_have_text(told("js.error.server", status=500))
    expect_no_violation(page)
    watched = visits.watch(page).problems
    watched[:] = [each for each in watched if "500" not in each]
    page.unroute("**/unfiled?*before=*")
    again.click()
    page.evaluate(TO_END)
    expect(lists.get_by_role("alert")).to_be_hidden()
    expect(again).to_be_hidden()
    assert page.evaluate(DRAWN) > 40


def test_every_entry_is_reached_by_tab(visits: Visits, many: list[str]) -> None:
    page = opened(visits)
    load_all(page)
    first = 0
    for start in (0, 700):
        page.evaluate(TO, start * 38)
        page.evaluate(FRAME)
        first = TITLES.index(next(title for title in seen(page) if title in TITLES))
        entry(page, first).focus()
        for at in range(first, first + 90):
            assert page.evaluate(ON) == TITLES[at]
            page.keyboard.press("Tab")
            assert page.evaluate(ON) == TITLES[at], "its menu"
            if at % DRAWN_BEFORE == 0:
                page.evaluate(FRAME)  # nobody presses faster than a page is drawn
            page.keyboard.press("Tab")
    for at in range(first + 90, first, -1):
        assert page.evaluate(ON) == TITLES[at]
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        if at % DRAWN_BEFORE == 0:
            page.evaluate(FRAME)


def test_the_entry_one_is_on_and_the_open_one_stay_when_the_list_is_scrolled_far_away(
    visits: Visits, many: list[str]
) -> None:
    page = opened(visits, f"/c/{many[60]}")
    load_all(page)
    page.evaluate(TO, 300 * 38)
    page.evaluate(FRAME)
    entry(page, 305).focus()
    page.evaluate(TO_END)
    page.evaluate(FRAME)
    assert page.evaluate(ON) == TITLES[305]
    expect(page.locator("[data-recent] [aria-current=page]")).to_have_attribute("title", TITLES[60])
    assert page.locator("[data-recent] [data-conversation]", has_text=TITLES[250]).count() == 0, "it was far away"
    page.keyboard.press("Tab")
    assert page.evaluate(ON) == TITLES[305]
    expect(entry(page, 305)).to_be_in_viewport()


def test_a_screen_reader_hears_which_of_how_many_an_entry_is(visits: Visits, many: list[str]) -> None:
    page = opened(visits)
    load_all(page)
    last = page.locator("[data-recent] .conversation-group").last
    count = int(last.locator("li").last.get_attribute("aria-setsize") or 0)
    assert count > 1
    expect(last.locator("li").last).to_have_attribute("aria-posinset", str(count))
    page.evaluate(TO, 1_000 * 38)
    page.evaluate(FRAME)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AT_REST)
        expect_no_violation(page, scheme)


def test_what_is_done_far_down_keeps_the_place(visits: Visits, many: list[str], site: Site) -> None:
    page = opened(visits)
    chat = Chat(page, say)
    load_all(page)
    page.evaluate(TO, 1_000 * 38)
    page.evaluate(FRAME)
    first = TITLES.index(next(title for title in seen(page) if title in TITLES)) + 3
    top = entry(page, first - 1).bounding_box()
    chat.choose(TITLES[first + 2], say("js.archive"))
    expect(entry(page, first + 2)).to_have_count(0)
    expect(entry(page, first + 3)).to_be_focused()
    chat.choose(TITLES[first], say("js.pin"))
    pins = page.locator("[data-pins]")
    expect(pins.get_by_role("link", name=TITLES[first])).to_have_count(1)
    page.evaluate(FRAME)
    assert entry(page, first - 1).bounding_box() == pytest.approx(top, abs=1), "what is looked at has not moved"
    assert site.rows("SELECT 1 FROM conversations WHERE title = :title AND pinned_at IS NOT NULL", title=TITLES[first])


def test_a_folder_above_that_opens_and_closes_leaves_no_hole(visits: Visits, many: list[str], site: Site) -> None:
    folder = site.ask("POST", "/api/folders", {"name": "A long one"})["id"]
    try:
        for each in many[:30]:
            site.ask("PUT", f"/api/folders/{folder}/conversations/{each}", {})
        page = visits.open("/")
        expect(entry(page, 40)).to_be_visible()
        load_all(page)
        page.evaluate(TO, 0)
        toggle = page.get_by_role("button", name="A long one", exact=True)
        for _ in range(3):
            toggle.click()
            titles = [title for title in seen(page) if title]
            assert len(titles) > 7
            assert None not in seen(page)[2:]
    finally:
        site.ask("DELETE", f"/api/folders/{folder}")
