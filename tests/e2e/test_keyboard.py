"""Everything by keyboard alone, and keys that belong to an input method."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.e2e.chat import Chat
from tests.e2e.keyboard import Keyboard
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD

say = words("en")
SLOW = Answer(text="one more word and " * 200, tokens_per_second=20)
# As browsers report the Enter that ends a composition; Safari ends the composition first.
COMPOSING = {
    "while composing": {"key": "Enter", "code": "Enter", "isComposing": True, "keyCode": 229},
    "with the old key code": {"key": "Enter", "code": "Enter", "isComposing": True, "keyCode": 13},
    "after compositionend, as in Safari": {"key": "Enter", "code": "Enter", "isComposing": False, "keyCode": 229},
    "as a process key": {"key": "Process", "code": "Enter", "isComposing": True, "keyCode": 229},
}
PRESS = """
(area, press) => {
  area.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }))
  if (!press.isComposing) area.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "你好" }))
  const event = new KeyboardEvent("keydown", { ...press, bubbles: true, cancelable: true })
  Object.defineProperty(event, "keyCode", { value: press.keyCode })
  area.dispatchEvent(event)
  if (press.isComposing) area.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true, data: "你好" }))
  return event.defaultPrevented
}
"""

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def test_enter_sends_and_shift_enter_breaks_the_line(chat: Chat) -> None:
    keys = Keyboard(chat.page)
    expect(chat.text).to_be_focused()
    keys.type("first")
    keys.press("Shift+Enter")
    keys.type("second")
    expect(chat.text).to_have_value("first\nsecond")
    keys.press("Enter")
    expect(chat.questions).to_have_text("first\nsecond", use_inner_text=True)
    expect(chat.text).to_have_value("")
    chat.wait_until_answered()


def test_the_arrow_up_changes_the_last_question_where_nothing_is_written(chat: Chat) -> None:
    keys = Keyboard(chat.page)
    keys.press("ArrowUp")
    chat.ask("What is a fjord?")
    chat.text.fill("something")
    keys.press("ArrowUp")
    expect(chat.text).to_be_focused()
    chat.text.fill("")
    keys.press("ArrowUp")
    editor = chat.page.locator(".message--question textarea")
    expect(editor).to_be_focused()
    expect(editor).to_have_value("What is a fjord?")
    editor.fill("What is an isthmus?")
    keys.press("Enter")
    chat.wait_until_answered()
    expect(chat.questions).to_have_text("What is an isthmus?")


@pytest.mark.parametrize("locale", ["en", "zh", "ja"])
@pytest.mark.parametrize("press", COMPOSING.values(), ids=COMPOSING)
def test_an_input_methods_enter_never_sends(
    press: dict[str, Any], visits: Visits, script: ScriptedUpstream, locale: str
) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    chat.text.fill("你好")
    assert not chat.text.evaluate(PRESS, press), "the key is the input method's"
    expect(chat.text).to_have_value("你好")
    expect(chat.questions).to_have_count(0)
    chat.text.press("Enter")
    expect(chat.questions).to_have_count(1)
    chat.wait_until_answered()
    assert len(script.journal.chats) == 1


@pytest.mark.parametrize(("locale", "viewport"), [("zh", WIDE), ("zh", PHONE), ("zh-Hant", PHONE), ("ja", WIDE)])
def test_what_is_composed_is_sent_once_it_is_chosen(
    visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    """By the browser's own input method, as a keyboard for Chinese drives it."""
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    chat.text.click()
    method = chat.page.context.new_cdp_session(chat.page)
    for typed in ("n", "ni", "nih", "nihao"):
        chosen = {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)}
        method.send("Input.imeSetComposition", chosen)
    expect(chat.text).to_have_value("nihao")
    method.send("Input.insertText", {"text": "你好"})
    expect(chat.text).to_have_value("你好")
    chat.send_button.click()
    expect(chat.questions).to_have_text("你好", use_inner_text=True)
    chat.wait_until_answered()
    assert len(script.journal.chats) == 1


def test_the_whole_way_by_keyboard_alone(visits: Visits, script: ScriptedUpstream, site: Site) -> None:
    site.ask("POST", "/api/admin/users", {"username": "typist", "role": "member", "password": PASSWORD})
    page = visits.open("/login", signed_in=False)
    chat, keys = Chat(page, say), Keyboard(page)
    keys.type("typist")
    keys.go_to(page.get_by_label(say("auth.password"), exact=True))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(chat.text).to_be_focused()

    script.script(SLOW)
    keys.type("Go on and on.")
    keys.press("Enter")
    chat.wait_for_words(10)
    keys.use(chat.stop_button)
    expect(chat.answer.get_by_text(say("js.answer_stopped"))).to_be_visible()
    expect(chat.text).to_be_focused()

    keys.use(chat.more("Go on and on."), backwards=True)
    keys.go_to(chat.menu.get_by_text(say("chat.rename")))
    keys.press("Enter")
    keys.type("By keyboard")
    keys.press("Enter")
    expect(chat.in_list("By keyboard")).to_be_visible()

    keys.use(page.get_by_role("link", name=say("chat.new")).first, backwards=True)
    expect(page).to_have_url(site.url + "/")
    expect(chat.text).to_be_focused()
    keys.use(chat.more("By keyboard"), "Space", backwards=True)
    keys.press("End")
    keys.use(chat.menu.get_by_text(say("base.delete")))
    expect(chat.in_list("By keyboard")).to_have_count(0)
    keys.press("Control+z")
    expect(chat.in_list("By keyboard")).to_be_visible()

    keys.use(page.locator("summary.menu__button"), backwards=True)
    expect(page.locator(".menu__panel a").first).to_be_focused()
    keys.press("End")
    keys.use(page.get_by_role("button", name=say("nav.sign_out")))
    expect(page).to_have_url(re.compile("/login"))


def test_escape_closes_what_is_open_and_gives_the_focus_back(chat: Chat) -> None:
    page, keys = chat.page, Keyboard(chat.page)
    chat.ask("Hello?")
    more = chat.more("Hello?")
    keys.use(more)
    expect(chat.menu).to_be_visible()
    keys.press("Escape")
    expect(chat.menu).to_be_hidden()
    expect(more).to_be_focused()

    keys.use(more)
    keys.press("Home")
    keys.use(chat.menu.get_by_text(say("chat.rename")))
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    wait_until(lambda: keys.where() != "body ")  # the focus must not be lost

    account = page.locator("summary.menu__button")
    keys.use(account)
    expect(page.get_by_role("button", name=say("nav.sign_out"))).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("button", name=say("nav.sign_out"))).to_be_hidden()
    expect(account).to_be_focused()


def _chat_menu(visits: Visits, keys: list[Keyboard]) -> tuple[Locator, Locator]:
    chat = Chat(visits.open("/"), say)
    chat.ask("Which menu?")
    keys.append(Keyboard(chat.page))
    keys[0].use(chat.more("Which menu?"))
    return chat.more("Which menu?"), chat.menu


def _people_menu(visits: Visits, keys: list[Keyboard]) -> tuple[Locator, Locator]:
    page = visits.open("/admin/users")
    keys.append(Keyboard(page))
    button = page.locator("[data-menu-button]").first
    keys[0].use(button)
    return button, page.locator("[data-row-menu]")


def _account_menu(visits: Visits, keys: list[Keyboard]) -> tuple[Locator, Locator]:
    page = visits.open("/dashboard")
    keys.append(Keyboard(page))
    button = page.locator("summary.menu__button")
    keys[0].use(button)
    return button, page.locator(".menu__panel")


@pytest.mark.parametrize("opening", [_chat_menu, _people_menu, _account_menu])
def test_every_menu_has_the_same_keys(opening: Any, visits: Visits, script: ScriptedUpstream) -> None:
    walked: list[Keyboard] = []
    button, panel = opening(visits, walked)
    [keys] = walked
    items = panel.locator("a:visible, button:visible")
    expect(items.first).to_be_focused()
    for key, there in (
        ("ArrowDown", items.nth(1)),
        ("End", items.last),
        ("ArrowDown", items.first),
        ("ArrowUp", items.last),
        ("Home", items.first),
    ):
        keys.press(key)
        expect(there).to_be_focused()
    keys.press("Escape")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    keys.press("Enter")
    expect(items.first).to_be_focused()
    keys.press("Shift+Tab")
    expect(panel).to_be_hidden()
    expect(button).to_be_focused()
    keys.press("Enter")
    expect(items.first).to_be_focused()
    keys.press("Tab")
    expect(panel).to_be_hidden()
    expect(button).not_to_be_focused()
    assert keys.where() != "body "


def test_a_changed_entry_or_its_neighbour_keeps_the_focus(chat: Chat, site: Site) -> None:
    page, keys = chat.page, Keyboard(chat.page)
    for text in ("Lower", "Upper", "Shown"):
        page.goto("/")
        chat.ask(text)
    keys.use(chat.more("Upper"))
    keys.press("Enter")
    page.get_by_label(say("chat.title"), exact=True).fill("Renamed")
    keys.press("Enter")
    expect(chat.in_list("Renamed")).to_be_focused()

    keys.use(chat.more("Renamed"))
    keys.press("End", "Enter")
    expect(chat.in_list("Renamed")).to_be_hidden()
    expect(chat.in_list("Lower")).to_be_focused()


def test_escape_closes_the_drawer_on_a_phone(visits: Visits) -> None:
    page = visits.open("/", viewport=PHONE)
    keys = Keyboard(page)
    opener = page.get_by_role("button", name=say("chat.open_list"))
    expect(page.locator("[data-sidebar]")).not_to_be_in_viewport()
    keys.use(opener)
    expect(page.locator("[data-sidebar]")).to_be_in_viewport()
    keys.press("Escape")
    expect(page.locator("[data-sidebar]")).not_to_be_in_viewport()
    expect(opener).to_be_focused()


def test_the_first_stop_leads_to_the_content(visits: Visits) -> None:
    page = visits.open("/dashboard")
    keys = Keyboard(page)
    keys.press("Tab")
    expect(page.get_by_role("link", name=say("base.skip"))).to_be_focused()
    expect(page.get_by_role("link", name=say("base.skip"))).to_be_in_viewport()
    keys.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_first_stop_leaves_a_conversation_as_it_is(chat: Chat, visits: Visits, script: ScriptedUpstream) -> None:
    script.script(SLOW)
    chat.send("Stay as you are.")
    chat.wait_for_words(1)
    asked = [each.url for each in visits.watch(chat.page).requests if "/static/" not in each.url]
    chat.page.get_by_role("link", name=say("base.skip")).press("Enter")
    expect(chat.page.locator("#main")).to_be_focused()
    chat.page.wait_for_timeout(300)
    assert [each.url for each in visits.watch(chat.page).requests if "/static/" not in each.url] == asked
    chat.send("Too early")
    expect(chat.page.locator("[data-waiting] li")).to_contain_text("Too early")
    expect(chat.text).to_have_value("")
    chat.stop_button.click()
    chat.wait_until_answered()
