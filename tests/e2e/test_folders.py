"""Conversations are kept in folders above the list: made, opened, renamed, deleted, and moved into and out of."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat, come_back
from tests.e2e.found import wait_until_found
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.e2e.written import leave_only
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
Write = Callable[..., list[str]]

pytestmark = pytest.mark.browser


@pytest.fixture
def write(site: Site) -> Write:
    """Leaves conversations with these titles and no others, the first the newest, and no folder."""
    for folder in site.ask("GET", "/api/folders")["folders"]:
        site.ask("DELETE", f"/api/folders/{folder['id']}")
    return partial(leave_only, site)


def make(site: Site, name: str, *conversations: str) -> str:
    folder = str(site.ask("POST", "/api/folders", {"name": name})["id"])
    for each in conversations:
        site.ask("PUT", f"/api/folders/{folder}/conversations/{each}")
    return folder


def open_list(page: Page, say_: Words = say) -> Chat:
    """The list as it is seen, in the drawer of a phone too."""
    opener = page.get_by_role("button", name=say_("chat.open_list"))
    if opener.is_visible():
        opener.tap()
    return Chat(page, say_)


def folder(page: Page, name: str) -> Locator:
    return page.locator("[data-folder]").filter(has=page.get_by_role("heading", name=name, exact=True))


def toggle(page: Page, name: str) -> Locator:
    return folder(page, name).get_by_role("button", name=name, exact=True)


def inside(page: Page, name: str) -> Locator:
    return folder(page, name).locator(".conversation [data-slot=title]")


def outside(page: Page) -> Locator:
    return page.locator("[data-recent] > [data-groups] .conversation [data-slot=title]")


def dialog(page: Page, title: str) -> Locator:
    return page.get_by_role("dialog", name=title)


def ask_where(chat: Chat, title: str) -> Locator:
    if chat.page.evaluate("matchMedia('(hover: hover)').matches"):
        chat.choose(title, chat.say("chat.move"))
    else:
        chat.more(title).tap()
        chat.menu.get_by_text(chat.say("chat.move"), exact=True).tap()
    return dialog(chat.page, chat.say("chat.move"))


def act(page: Page, name: str, action: str, say_: Words = say) -> None:
    folder(page, name).locator("[data-folder-more]").click()
    page.get_by_role("group", name=say_("chat.folder_menu")).get_by_text(action, exact=True).click()


@pytest.mark.parametrize(("locale", "viewport"), [("zh", PHONE), ("en", WIDE)], ids=["phone", "wide"])
def test_a_folder_is_made_for_a_conversation_and_stays_open(
    visits: Visits, write: Write, locale: str, viewport: Any
) -> None:
    say_ = words(locale)
    write("one", "two", "three")
    page = visits.open("/", locale=locale, viewport=viewport)
    chat = open_list(page, say_)
    asked = ask_where(chat, "two")
    expect(asked.get_by_role("textbox")).to_be_focused()
    asked.get_by_role("textbox").fill("  海边  的事 ")
    asked.get_by_role("button", name=say_("chat.folder_make"), exact=True).click()
    expect(asked).to_be_hidden()
    expect(outside(page)).to_have_text(["one", "three"])
    expect(toggle(page, "海边 的事")).to_have_attribute("aria-expanded", "false")
    expect(toggle(page, "海边 的事")).to_be_focused()
    expect(inside(page, "海边 的事")).to_be_hidden()
    toggle(page, "海边 的事").click()
    expect(inside(page, "海边 的事")).to_have_text(["two"])
    expect(inside(page, "海边 的事")).to_be_visible()
    page.reload()
    open_list(page, say_)
    expect(inside(page, "海边 的事")).to_have_text(["two"])
    expect(outside(page)).to_have_text(["one", "three"])
    toggle(page, "海边 的事").click()
    page.reload()
    open_list(page, say_)
    expect(toggle(page, "海边 的事")).to_have_attribute("aria-expanded", "false")


def test_it_is_moved_from_one_to_another_and_out(visits: Visits, write: Write, site: Site) -> None:
    one, two = write("one", "two")
    make(site, "Work 10", one)
    make(site, "Work 9", two)
    page = visits.open("/")
    chat = Chat(page, say)
    expect(page.locator("[data-folder] h2")).to_have_text(["Work 9", "Work 10"])
    toggle(page, "Work 10").click()
    toggle(page, "Work 9").click()
    asked = ask_where(chat, "one")
    expect(asked.get_by_role("button", pressed=True)).to_have_text("Work 10")
    asked.get_by_role("button", name="Work 9", exact=True).click()
    expect(inside(page, "Work 9")).to_have_text(["one", "two"])
    expect(inside(page, "Work 10")).to_have_count(0)
    expect(folder(page, "Work 10").get_by_text(say("chat.folder_empty"))).to_be_visible()
    expect(chat.in_list("one")).to_be_focused()
    ask_where(chat, "two").get_by_role("button", name=say("js.folder_none")).click()
    expect(outside(page)).to_have_text(["two"])
    ask_where(chat, "two").get_by_role("button", name=say("base.cancel")).click()
    expect(outside(page)).to_have_text(["two"])


def test_it_is_renamed_and_deleted_and_its_conversations_stay(visits: Visits, write: Write, site: Site) -> None:
    one, _ = write("one", "two")
    make(site, "Wrok", one)
    page = visits.open("/")
    act(page, "Wrok", say("chat.rename"))
    page.keyboard.type("Work")
    page.keyboard.press("Enter")
    toggle(page, "Work").click()
    expect(inside(page, "Work")).to_have_text(["one"])
    act(page, "Work", say("base.delete"))
    confirm = page.get_by_role("alertdialog")
    expect(confirm).to_contain_text(say("js.folder_delete_text"))
    confirm.get_by_role("button", name=say("base.cancel")).click()
    expect(inside(page, "Work")).to_have_text(["one"])
    act(page, "Work", say("base.delete"))
    confirm.get_by_role("button", name=say("js.folder_delete_action")).click()
    expect(page.locator("[data-folder]")).to_have_count(0)
    expect(outside(page)).to_have_text(["one", "two"])
    page.reload()
    expect(outside(page)).to_have_text(["one", "two"])


def test_other_tabs_see_it_when_they_are_looked_at(visits: Visits, write: Write, site: Site) -> None:
    one, two, three = write("one", "two", "three")
    page = visits.open("/")
    expect(outside(page)).to_have_text(["one", "two", "three"])
    work = make(site, "Work", one, three)
    come_back(page)
    expect(outside(page)).to_have_text(["two"])
    toggle(page, "Work").click()
    expect(inside(page, "Work")).to_have_text(["one", "three"])
    site.ask("PATCH", f"/api/folders/{work}", {"name": "Play"})
    site.ask("DELETE", f"/api/folders/{work}/conversations/{one}")
    site.ask("PUT", f"/api/folders/{work}/conversations/{two}")
    come_back(page)
    expect(inside(page, "Play")).to_have_text(["two", "three"])
    expect(outside(page)).to_have_text(["one"])
    site.ask("DELETE", f"/api/folders/{work}")
    come_back(page)
    expect(page.locator("[data-folder]")).to_have_count(0)
    expect(outside(page)).to_have_text(["one", "two", "three"])


def test_what_is_gone_elsewhere_is_told(visits: Visits, write: Write, site: Site) -> None:
    write("one")
    work = make(site, "Work")
    page = visits.open("/")
    asked = ask_where(Chat(page, say), "one")
    site.ask("DELETE", f"/api/folders/{work}")
    asked.get_by_role("button", name="Work", exact=True).click()
    expect(page.locator(".toast--danger")).to_contain_text(say("js.folder_gone"))
    expect(page.locator("[data-folder]")).to_have_count(0)
    expect(outside(page)).to_have_text(["one"])
    visits.watch(page).problems.clear()  # the refusal's own line


def test_a_pin_is_above_the_folders_and_a_folder_is_paged(visits: Visits, write: Write, site: Site) -> None:
    listed = write(*(f"kept {number}" for number in range(95)))
    work = make(site, "Work", *listed)
    site.ask("PUT", f"/api/conversations/{listed[90]}/pin")
    page = visits.open("/")
    expect(page.locator("[data-pins] .conversation [data-slot=title]")).to_have_text(["kept 90"])
    toggle(page, "Work").click()
    expect(inside(page, "Work")).not_to_have_count(0)
    while folder(page, "Work").locator("[data-list-more]").is_visible():
        folder(page, "Work").locator("[data-list-more]").evaluate("button => button.scrollIntoView()")
        page.wait_for_timeout(50)
    expect(inside(page, "Work")).to_have_text([f"kept {number}" for number in range(95) if number != 90])
    site.ask("DELETE", f"/api/folders/{work}")
    come_back(page)
    expect(outside(page)).to_have_text([f"kept {number}" for number in range(95) if number != 90])


def test_what_is_said_in_a_folder_stays_there(
    visits: Visits, script: ScriptedUpstream, write: Write, site: Site
) -> None:
    script.script(Answer("The capybara bathes."), Answer("And it sleeps."))
    write("beside")
    (_, started), *_ = list(site.server.chat("What does a capybara do?"))
    make(site, "Animals", started["conversation_id"])
    page = visits.open(f"/c/{started['conversation_id']}")
    chat = Chat(page, say)
    chat.ask("What else?")
    expect(outside(page)).to_have_text(["beside"])
    toggle(page, "Animals").click()
    expect(inside(page, "Animals")).to_have_text(["What does a capybara do?"])
    expect(folder(page, "Animals").locator("[aria-current=page]")).to_be_visible()
    wait_until_found(site, "bathes")
    page.get_by_role("searchbox", name=say("chat.search")).fill("bathes")
    expect(page.locator("[data-hits] a")).to_contain_text("Animals")
    page.keyboard.press("Control+k")
    page.keyboard.type("bathes")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Animals")


def test_the_palette_makes_folders_and_moves(visits: Visits, script: ScriptedUpstream, write: Write) -> None:
    write()
    page = visits.open("/")
    chat = Chat(page, say)
    chat.ask("Where do I belong?")
    page.keyboard.press("Control+k")
    page.keyboard.type("new folder")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text(say("js.folder_new"))
    page.keyboard.press("Enter")
    expect(dialog(page, say("js.folder_new"))).to_be_visible()
    page.keyboard.type("Home")
    page.keyboard.press("Enter")
    expect(toggle(page, "Home")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("move")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text(say("chat.move"))
    page.keyboard.press("Enter")
    dialog(page, say("chat.move")).get_by_role("button", name="Home", exact=True).click()
    expect(outside(page)).to_have_count(0)
    toggle(page, "Home").click()
    expect(inside(page, "Home")).to_have_text(["Where do I belong?"])


def test_by_keyboard_alone(visits: Visits, write: Write, site: Site) -> None:
    one, _ = write("one", "two")
    make(site, "Work", one)
    page = visits.open("/")
    toggle(page, "Work").focus()
    page.keyboard.press("Enter")
    expect(inside(page, "Work")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    menu = page.get_by_role("group", name=say("chat.folder_menu"))
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(folder(page, "Work").locator("[data-folder-more]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(Chat(page, say).in_list("one")).to_be_focused()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_no_violation(locale: str, visits: Visits, write: Write, site: Site) -> None:
    say_ = words(locale)
    one, _ = write("one", "two")
    make(site, "工作", one)
    make(site, "Empty")
    page = visits.open("/", locale=locale)
    for name in ("工作", "Empty"):
        toggle(page, name).click()
    expect(inside(page, "工作")).to_have_text(["one"])
    expect_no_fault(page, locale)
    page.set_viewport_size(WIDE)
    ask_where(Chat(page, say_), "two")
    expect_no_fault(page, locale)
