"""Conversations are pinned on top of their list and archived out of it: by pointer, by finger and by keyboard."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat, come_back
from tests.e2e.found import wait_until_found
from tests.e2e.keyboard import Keyboard
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.e2e.written import leave_only
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
Write = Callable[..., list[str]]

pytestmark = pytest.mark.browser


@pytest.fixture
def write(site: Site) -> Write:
    """Leaves conversations with these titles and no others, the first the newest."""
    return partial(leave_only, site)


def open_list(page: Page, say_: Any = say) -> Chat:
    """The list as it is seen, in the drawer of a phone too."""
    chat = Chat(page, say_)
    opener = page.get_by_role("button", name=say_("chat.open_list"))
    if opener.is_visible():
        opener.tap()
    return chat


def choose(chat: Chat, title: str, action: str) -> None:
    """Under a finger where there is no pointer."""
    if chat.page.evaluate("matchMedia('(hover: hover)').matches"):
        return chat.choose(title, action)
    chat.more(title).tap()
    return chat.menu.get_by_text(action, exact=True).tap()


def groups(page: Page) -> Locator:
    return page.locator("[data-recent] .conversation-group")


def titles(part: Locator) -> Locator:
    return part.locator("[data-slot=title]:not(h2)")


def archive_button(page: Page, say_: Any = say) -> Locator:
    return page.locator("[data-archive-open]", has_text=say_("chat.archived"))


def archived(page: Page) -> Locator:
    return titles(page.locator("[data-archive]"))


def undo(page: Page, say_: Any = say) -> Locator:
    return page.locator(".toast").get_by_role("button", name=say_("base.undo"))


@pytest.mark.parametrize(("locale", "viewport"), [("zh", PHONE), ("en", WIDE)], ids=["phone", "wide"])
def test_the_newest_pin_is_on_top_and_stays_there(visits: Visits, write: Write, locale: str, viewport: Any) -> None:
    say_ = words(locale)
    write("one", "two", "three")
    chat = open_list(visits.open("/", locale=locale, viewport=viewport), say_)
    for title in ("three", "two"):
        choose(chat, title, say_("js.pin"))
        expect(groups(chat.page).first.get_by_role("link", name=title)).to_be_visible()
    for _ in range(2):
        expect(groups(chat.page).first.locator("h2")).to_have_text(say_("js.pinned"))
        expect(titles(groups(chat.page).first)).to_have_text(["two", "three"])
        expect(titles(groups(chat.page).nth(1))).to_have_text(["one"])
        chat.page.reload()
        open_list(chat.page, say_)
    for title in ("two", "three"):
        choose(chat, title, say_("js.unpin"))
    expect(groups(chat.page)).to_have_count(1)
    expect(titles(groups(chat.page))).to_have_text(["one", "two", "three"])


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_one_pin_too_many_is_refused_in_the_readers_words(
    visits: Visits, write: Write, site: Site, locale: str
) -> None:
    say_ = words(locale)
    for each in write("the last", *(f"pinned {number}" for number in range(50)))[1:]:
        site.ask("PUT", f"/api/conversations/{each}/pin")
    chat = Chat(visits.open("/", locale=locale), say_)
    chat.choose("the last", say_("js.pin"))
    expect(chat.page.locator(".toast--danger")).to_contain_text(say_("error.too_many_pins", limit=50))
    expect(titles(groups(chat.page).first)).to_have_count(50)
    visits.watch(chat.page).problems.clear()  # the refusal's own line


@pytest.mark.parametrize(("locale", "viewport"), [("en", PHONE), ("zh", WIDE)], ids=["phone", "wide"])
def test_archived_it_leaves_the_list_and_is_found_opened_and_taken_back(
    visits: Visits, script: ScriptedUpstream, write: Write, locale: str, viewport: Any
) -> None:
    say_ = words(locale)
    write()
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), say_)
    chat.ask("Put me away")
    address = chat.page.url
    open_list(chat.page, say_)
    choose(chat, "Put me away", say_("js.archive"))
    expect(chat.in_list("Put me away")).to_have_count(0)
    expect(chat.page).to_have_url(re.compile("/$"))

    archive_button(chat.page, say_).click()
    expect(archived(chat.page)).to_have_text(["Put me away"])
    archived(chat.page).click()
    expect(chat.page).to_have_url(address)
    expect(chat.questions).to_have_text("Put me away")
    note = chat.page.locator("[data-archived-note]")
    expect(note).to_contain_text(say_("chat.is_archived"))
    chat.page.reload()
    expect(note).to_be_visible()
    note.get_by_role("button", name=say_("js.unarchive")).click()
    expect(note).to_be_hidden()
    open_list(chat.page, say_)
    expect(titles(groups(chat.page))).to_have_text(["Put me away"])


def test_undone_it_is_back_with_its_pin(visits: Visits, script: ScriptedUpstream, write: Write, site: Site) -> None:
    write("beside")
    chat = Chat(visits.open("/"), say)
    chat.ask("Not this one")
    address = chat.page.url
    chat.choose("Not this one", say("js.pin"))
    expect(titles(groups(chat.page).first)).to_have_text(["Not this one"])
    ways: list[Callable[[], None]] = [undo(chat.page).click, lambda: chat.page.keyboard.press("Control+z")]
    for way in ways:
        chat.choose("Not this one", say("js.archive"))
        expect(chat.in_list("Not this one")).to_have_count(0)
        assert site.ask("GET", f"/api/conversations/{address.rpartition('/')[2]}")["archived"], "at once"
        way()
        expect(titles(groups(chat.page).first)).to_have_text(["Not this one"])
        expect(chat.page).to_have_url(address)
        expect(chat.questions).to_have_text("Not this one")


def test_a_new_message_takes_it_back(visits: Visits, script: ScriptedUpstream, write: Write) -> None:
    write()
    chat = Chat(visits.open("/"), say)
    chat.ask("Wake me")
    address = chat.page.url
    chat.choose("Wake me", say("js.archive"))
    expect(chat.in_list("Wake me")).to_have_count(0)
    chat.page.goto(address)
    expect(chat.page.locator("[data-archived-note]")).to_be_visible()
    chat.ask("More of it")
    expect(chat.page.locator("[data-archived-note]")).to_be_hidden()
    for _ in range(2):
        expect(chat.in_list("Wake me")).to_be_visible()
        chat.page.reload()


def test_by_keyboard_alone(visits: Visits, write: Write) -> None:
    write("upper", "middle", "lower")
    page = visits.open("/")
    chat, keys = Chat(page, say), Keyboard(page)
    expect(chat.text).to_be_focused()
    keys.use(chat.more("lower"), backwards=True)
    keys.press("ArrowDown")
    keys.use(chat.menu.get_by_role("button", name=say("js.pin")))
    expect(titles(groups(page).first)).to_have_text(["lower"])
    expect(chat.more("lower")).to_be_focused()

    keys.use(chat.more("middle"))
    keys.press("End", "ArrowUp", "Enter")
    expect(chat.in_list("middle")).to_have_count(0)
    expect(chat.in_list("upper")).to_be_focused()
    keys.use(archive_button(page))
    expect(page.get_by_role("button", name=say("chat.close_archive"))).to_be_focused()
    keys.use(chat.more("middle"))
    keys.press("Escape")
    expect(chat.more("middle")).to_be_focused()
    keys.press("Escape")
    expect(archive_button(page)).to_be_focused()
    expect(chat.in_list("upper")).to_be_visible()

    keys.press("Enter")
    keys.use(chat.more("middle"))
    keys.press("ArrowDown", "ArrowDown")
    keys.use(chat.menu.get_by_role("button", name=say("js.unarchive")))
    expect(page.locator("[data-archive] [data-list-empty]")).to_have_text(say("chat.archive_empty"))
    expect_no_violation(page)
    keys.use(page.get_by_role("button", name=say("chat.close_archive")), backwards=True)
    expect(titles(groups(page).last)).to_have_text(["upper", "middle"])


def test_other_tabs_see_it_when_they_are_looked_at(visits: Visits, write: Write, site: Site) -> None:
    first, second, third = write("first", "second", "third")
    page = visits.open("/")
    expect(titles(groups(page))).to_have_text(["first", "second", "third"])
    site.ask("PUT", f"/api/conversations/{third}/pin")
    site.ask("PUT", f"/api/conversations/{first}/archive")
    site.ask("PATCH", f"/api/conversations/{second}", {"title": "renamed"})
    come_back(page)
    expect(titles(groups(page))).to_have_text(["third", "renamed"])
    archive_button(page).click()
    expect(archived(page)).to_have_text(["first"])
    site.ask("DELETE", f"/api/conversations/{first}/archive")
    come_back(page)
    expect(archived(page)).to_have_count(0)
    page.get_by_role("button", name=say("chat.close_archive")).click()
    expect(titles(groups(page))).to_have_text(["third", "first", "renamed"])


def test_one_that_was_archived_elsewhere_says_so_when_it_is_looked_at(
    visits: Visits, script: ScriptedUpstream, write: Write, site: Site
) -> None:
    write()
    chat = Chat(visits.open("/"), say)
    chat.ask("Seen here")
    site.ask("PUT", f"/api/conversations/{chat.conversation_id}/archive")
    come_back(chat.page)
    expect(chat.page.locator("[data-archived-note]")).to_be_visible()
    expect(chat.in_list("Seen here")).to_have_count(0)


def test_the_archive_is_paged(visits: Visits, write: Write) -> None:
    titles = [f"archived {number}" for number in range(95)]
    write(*titles, archived=True)
    page = visits.open("/")
    archive_button(page).click()

    def is_all_there() -> bool:
        page.locator("[data-archive]").evaluate("place => place.scrollTo(0, place.scrollHeight)")
        page.wait_for_timeout(50)
        return archived(page).count() >= len(titles)

    wait_until(is_all_there)
    expect(archived(page)).to_have_text(titles)


def test_search_says_that_it_is_archived(visits: Visits, script: ScriptedUpstream, write: Write, site: Site) -> None:
    write()
    chat = Chat(visits.open("/"), say)
    chat.ask("Where are the puffins?")
    chat.choose("Where are the puffins?", say("js.archive"))
    wait_until_found(site, "puffins")
    archive_button(chat.page).click()
    expect(archived(chat.page)).to_have_count(1)
    chat.page.get_by_role("searchbox", name=say("chat.search")).fill("puffins")
    hit = chat.page.locator("[data-hits] a").first
    expect(hit).to_contain_text(say("chat.archived"))
    expect(archived(chat.page)).to_be_hidden()
    archive_button(chat.page).click()
    expect(archived(chat.page)).to_be_visible()
    expect(hit).to_be_hidden()


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_it_fits_and_is_accessible(
    visits: Visits, write: Write, site: Site, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say_ = words(locale)
    put_away, pinned, _ = write("A conversation with a rather long title, away", "On top", "Below it")
    site.ask("PUT", f"/api/conversations/{pinned}/pin")
    site.ask("PUT", f"/api/conversations/{put_away}/archive")
    page = visits.open(f"/c/{put_away}", locale=locale, viewport=viewport, scheme=scheme)
    expect(page.locator("[data-archived-note]")).to_be_visible()
    _expect_no_fault(page, viewport)
    chat = open_list(page, say_)
    chat.more("On top").click()
    expect(chat.menu).to_be_visible()
    _expect_no_fault(page, viewport)
    page.keyboard.press("Escape")
    archive_button(page, say_).click()
    expect(archived(page)).to_have_count(1)
    expect(page.locator(".archive[aria-busy]")).to_have_count(0)  # it is pale while it is asked for anew
    _expect_no_fault(page, viewport)


def _expect_no_fault(page: Page, viewport: Any) -> None:
    page.evaluate(AT_REST)
    expect_no_violation(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
