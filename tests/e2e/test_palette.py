"""The palette: one field for commands and conversations, on every page, by keyboard and by finger."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.found import wait_until_found
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD, USERNAME

say = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def told(site: Site) -> dict[str, Any]:
    """Conversations about a kestrel and, in Chinese, about a fjord; found from now on."""
    site.provider.script(Answer("It hovers over the meadow."), Answer("峡湾是冰川刻出来的。"))
    (_, start), *_ = list(site.server.chat("What does a kestrel do?"))
    list(site.server.chat("峡湾为什么这么深"))
    for query in ("meadow", "冰川"):
        wait_until_found(site, query)
    return start


def dialog(page: Page, say_: Words = say) -> Locator:
    return page.get_by_role("dialog", name=say_("palette.title"))


def field(page: Page, say_: Words = say) -> Locator:
    return page.get_by_role("combobox", name=say_("palette.field"))


def options(page: Page) -> Locator:
    return page.locator("#palette").get_by_role("option")


def chosen(page: Page) -> Locator:
    return page.locator("#palette").get_by_role("option", selected=True)


def open_palette(page: Page, say_: Words = say) -> None:
    page.keyboard.press("Control+k")
    expect(field(page, say_)).to_be_focused()
    expect(options(page)).not_to_have_count(0)


def choose(page: Page, typed: str, label: str | re.Pattern[str]) -> None:
    open_palette(page)
    page.keyboard.type(typed)
    expect(chosen(page)).to_contain_text(label)
    page.keyboard.press("Enter")
    expect(dialog(page)).to_be_hidden()


@pytest.mark.parametrize("path", ["/", "/dashboard", "/account", "/tokens", "/admin/records", "/nowhere"])
def test_it_opens_on_every_page_and_leads_to_another(path: str, visits: Visits) -> None:
    page = visits.open(path)
    if path == "/nowhere":
        visits.watch(page).problems.clear()  # that this page does not exist
    choose(page, "api ac", say("nav.tokens"))
    page.wait_for_url("**/tokens")


def test_nobody_who_is_signed_out_has_it(visits: Visits) -> None:
    page = visits.open("/login", signed_in=False)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_have_count(0)


def test_arrows_go_round_enter_chooses_and_escape_gives_the_focus_back(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/")
    text = page.get_by_label(say("chat.message"), exact=True)
    expect(text).to_be_focused()
    open_palette(page)
    expect(options(page).first).to_contain_text("峡湾")
    first, last = options(page).first, options(page).last
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(last).to_have_attribute("aria-selected", "true")
    assert field(page).get_attribute("aria-activedescendant") == last.get_attribute("id")
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(text).to_be_focused()
    open_palette(page)
    page.keyboard.press("Control+k")
    expect(dialog(page)).to_be_hidden()
    expect(text).to_have_value("")


def test_a_conversation_is_found_by_its_title_and_by_its_text(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/dashboard")
    choose(page, "kestrel", "What does a kestrel do?")
    page.wait_for_url(f"**/c/{told['conversation_id']}*")
    page.goto("/")
    open_palette(page)
    page.keyboard.type("meadow")
    expect(chosen(page)).to_contain_text("It hovers over the meadow.")
    expect(chosen(page).locator("mark")).to_have_text("meadow")
    page.keyboard.press("Enter")
    expect(page.locator(".message--answer")).to_be_focused()
    expect(page).to_have_url(re.compile(f"/c/{told['conversation_id']}$"))


def test_what_nobody_has_written_is_said_not_to_be_found(visits: Visits) -> None:
    page = visits.open("/")
    open_palette(page)
    page.keyboard.type("zzzzqqqq")
    expect(page.locator("[data-palette-said]")).to_have_text(say("js.search_nothing", words="zzzzqqqq"))
    expect(field(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(dialog(page)).to_be_visible()


def test_it_is_used_in_chinese_and_understands_english_there(visits: Visits, told: dict[str, Any]) -> None:
    page, zh = visits.open("/", locale="zh"), words("zh")
    open_palette(page, zh)
    field(page, zh).fill("冰川")
    expect(chosen(page)).to_contain_text("峡湾是冰川刻出来的")
    field(page, zh).fill("深色")
    expect(chosen(page)).to_have_text(re.compile(f"{zh('nav.theme')}：{zh('nav.theme_dark')}"))
    field(page, zh).fill("theme dark")
    expect(chosen(page)).to_contain_text(zh("nav.theme_dark"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    open_palette(page, zh)
    field(page, zh).fill("外观 系统")
    expect(chosen(page)).to_contain_text(zh("nav.theme_system"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "system")


def test_the_conversation_is_renamed_pinned_archived_and_deleted(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    page = chat.page
    chat.ask("A question for the palette")
    choose(page, "rename", say("chat.rename"))
    page.get_by_role("dialog", name=say("chat.rename_title")).get_by_label(say("chat.title")).fill("Palette one")
    page.keyboard.press("Enter")
    expect(page.locator("[data-title]")).to_have_text("Palette one")
    choose(page, "pin", say("js.pin"))
    one = f'[data-conversation="{chat.conversation_id}"]'
    entry = chat.list.locator(one)
    pinned = chat.list.locator(".conversation-group", has_text=say("js.pinned")).locator(one)
    expect(pinned).to_have_count(1)
    choose(page, "unpin", say("js.unpin"))
    expect(pinned).to_have_count(0)
    choose(page, "archive", say("js.archive"))
    expect(page).to_have_url(re.compile("/$"))
    open_palette(page)
    expect(options(page).get_by_text(say("chat.rename"), exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    page.locator(".toast").get_by_role("button", name=say("base.undo")).click()
    expect(entry).to_be_visible()
    expect(page).to_have_url(re.compile("/c/"))
    choose(page, "delete", say("base.delete"))
    expect(entry).to_have_count(0)
    choose(page, "new chat", say("chat.new"))
    page.locator(".toast").get_by_role("button", name=say("base.undo")).click()
    expect(entry).to_be_visible()


def test_model_and_thinking_are_switched(visits: Visits) -> None:
    page = visits.open("/")
    select = page.locator("[data-model]")
    names = select.locator("option").all_inner_texts()
    assert len(names) > 1, "there must be something to switch to"
    for name in reversed(names):
        choose(page, f"model {name}", say("js.palette_model", name=name))
        assert select.evaluate("element => element.selectedOptions[0].text") == name
    thinking = page.locator("[data-thinking]")
    for way in ("max", "off"):
        choose(page, f"think first {way}", say(f"js.think_{way}"))
        expect(thinking).to_have_value(way)


def test_what_is_typed_before_its_module_has_come_is_kept(visits: Visits) -> None:
    page = visits.open("/")
    module = Held(page, re.compile(r"/js/palette/palette\.js"))
    page.keyboard.press("Control+k")
    page.keyboard.type("usage")
    module.wait()
    expect(field(page)).to_have_value("usage")
    expect(options(page)).to_have_count(0)
    module.let_go()
    expect(chosen(page)).to_contain_text(say("nav.dashboard"))


def test_on_a_phone_it_is_opened_from_the_menu(visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/", viewport=PHONE)
    page.get_by_role("button", name=say("chat.open_list")).tap()
    page.get_by_label(say("nav.account", name=USERNAME)).tap()
    page.get_by_role("button", name=say("palette.title")).tap()
    expect(field(page)).to_be_focused()
    field(page).fill("kestrel")
    options(page).filter(has_text="What does a kestrel do?").first.tap()
    expect(page).to_have_url(re.compile(f"/c/{told['conversation_id']}"))
    expect(page.locator("[data-sidebar]")).not_to_be_in_viewport()
    expect(page.locator(".message--answer")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_menu_has_it_elsewhere_too_and_the_focus_comes_back_to_it(visits: Visits, viewport: Any) -> None:
    page = visits.open("/dashboard", viewport=viewport)
    menu = page.get_by_label(say("nav.account", name=USERNAME))
    menu.click()
    page.get_by_role("button", name=say("palette.title")).click()
    expect(field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_only_administrators_are_offered_their_pages(visits: Visits, site: Site) -> None:
    page = visits.open("/")
    open_palette(page)
    page.keyboard.type("reconciliation")
    expect(chosen(page)).to_contain_text(say("admin.reconciliation"))
    site.ask("POST", "/api/admin/users", {"username": "palette", "role": "member", "password": PASSWORD})
    page = visits.open("/login", signed_in=False)
    entrance.sign_in(page, say, username="palette", password=PASSWORD)
    expect(page.get_by_label(say("chat.message"), exact=True)).to_be_focused()
    open_palette(page)
    page.keyboard.type("reconciliation")
    expect(page.locator("[data-palette-said]")).to_be_visible()
    expect(options(page)).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("typed", ["", "e"], ids=["nothing typed", "a letter typed"])
def test_no_violation(locale: str, typed: str, visits: Visits, told: dict[str, Any]) -> None:
    page = visits.open("/", locale=locale)
    open_palette(page, words(locale))
    field(page, words(locale)).fill(typed)
    expect_no_fault(page, locale)
