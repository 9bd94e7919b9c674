"""Prompts: kept on a page of one's own, chosen in a message by /."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.test_keyboard import COMPOSING, PRESS
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import Words, words
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
OWN, SHARED, OFFERED = "/api/prompts", "/api/admin/prompts", "/api/offered-prompts"
SUM = {"command": "sum", "title": "Sum it up", "text": "Sum this up\nin {{words: 50}} words: {{text}}"}
SHORT = {"command": "shorter", "title": "Make it shorter", "text": "/Shorter, please."}
CLASS = {"command": "class", "title": "For a class", "text": "Tell a class about {{topic}}."}

pytestmark = pytest.mark.browser


@pytest.fixture
def prompts(site: Site) -> Iterator[None]:
    made = [f"{OWN}/{site.ask('POST', OWN, each)['id']}" for each in (SUM, SHORT)]
    made.append(f"{SHARED}/{site.ask('POST', SHARED, CLASS)['id']}")
    yield
    for path in made:
        site.ask("DELETE", path)


@pytest.fixture
def chat(visits: Visits, prompts: None, script: ScriptedUpstream) -> Chat:
    chat = Chat(visits.open("/"), say)
    chat.page.wait_for_load_state("networkidle")
    return chat


def offered(chat: Chat) -> Locator:
    return chat.page.get_by_role("listbox", name=chat.say("prompts.offered")).get_by_role("option")


def active(chat: Chat) -> Locator:
    """The option that a screen reader is told of."""
    return chat.page.locator(f"#{chat.text.get_attribute('aria-activedescendant')}")


def asked(chat: Chat, visits: Visits) -> list[str]:
    parts = (OFFERED, "/js/prompt", "/js/text-list")
    return [each.url for each in visits.watch(chat.page).requests if any(part in each.url for part in parts)]


def test_a_prompt_comes_in_the_place_of_its_command_and_nothing_is_sent(
    chat: Chat, visits: Visits, script: ScriptedUpstream
) -> None:
    chat.text.press_sequentially("1/2 of /etc/hosts")
    assert asked(chat, visits) == [], "a path and a fraction ask for nothing"
    chat.text.fill("before\n\nafter")
    chat.text.press("ArrowUp")
    chat.text.press_sequentially("/")
    expect(offered(chat)).to_have_count(3)
    expect(offered(chat)).to_contain_text(["/short", "/sum", "/class"])
    expect(offered(chat).last).to_contain_text(say("js.prompt_shared"))
    chat.text.press_sequentially("sh")
    expect(offered(chat)).to_have_count(1)
    expect(active(chat)).to_contain_text("Make it shorter")
    chat.text.press("Enter")
    expect(chat.text).to_have_value("before\n/Shorter, please.\nafter")
    expect(chat.text).to_be_focused()
    expect(offered(chat)).to_have_count(0)
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.prompt_put", command="/shorter"))
    chat.text.press("Control+z")
    expect(chat.text).to_have_value("before\n/sh\nafter")
    assert script.journal.chats == []
    expect(chat.questions).to_have_count(0)


def test_its_variables_are_asked_for_first(chat: Chat, script: ScriptedUpstream) -> None:
    chat.text.press_sequentially("/su")
    expect(offered(chat)).to_have_count(1)
    chat.text.press("Tab")
    dialog = chat.page.get_by_role("dialog", name="Sum it up")
    expect(dialog.get_by_label("words", exact=True)).to_have_value("50")
    expect(dialog.get_by_label("words", exact=True)).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(chat.text).to_have_value("/su")
    expect(chat.text).to_be_focused()
    expect(offered(chat)).to_have_count(0)
    chat.text.press_sequentially("m")
    chat.text.press("Backspace")
    chat.text.fill("")
    chat.text.press_sequentially("/sum")
    expect(offered(chat)).to_have_count(1)
    chat.text.press("Enter")
    dialog.get_by_label("words", exact=True).fill("$& {{text}}")
    dialog.get_by_label("text", exact=True).fill("one")
    chat.page.keyboard.press("Shift+Enter")
    chat.page.keyboard.type("two")
    for press in COMPOSING.values():
        assert not dialog.get_by_label("text", exact=True).evaluate(PRESS, press)
    chat.page.keyboard.press("Enter")
    expect(chat.text).to_have_value("Sum this up\nin $& {{text}} words: one\ntwo")
    expect(chat.text).to_be_focused()
    assert script.journal.chats == []
    chat.text.press("Enter")
    chat.wait_until_answered()
    expect(chat.questions).to_have_text("Sum this up in $& {{text}} words: one two")


def test_arrows_go_round_and_escape_leaves_plain_text(chat: Chat) -> None:
    chat.text.press_sequentially("/")
    expect(offered(chat)).to_have_count(3)
    chat.text.press("ArrowUp")
    expect(active(chat)).to_contain_text("/class")
    chat.text.press("ArrowDown")
    expect(active(chat)).to_contain_text("/shorter")
    chat.text.press("Escape")
    expect(offered(chat)).to_have_count(0)
    chat.text.press_sequentially("nothing fits")
    expect(offered(chat)).to_have_count(0)
    chat.text.press("Enter")
    expect(chat.questions).to_have_text("/nothing fits")
    chat.wait_until_answered()


@pytest.mark.parametrize("kind", COMPOSING)
def test_the_enter_of_an_input_method_chooses_nothing(kind: str, chat: Chat) -> None:
    chat.text.press_sequentially("/")
    expect(offered(chat)).to_have_count(3)
    assert not chat.text.evaluate(PRESS, COMPOSING[kind])
    expect(offered(chat)).to_have_count(3)
    expect(chat.text).to_have_value("/")


def test_one_that_another_tab_deleted_leaves_the_text_as_it_is(chat: Chat, visits: Visits, site: Site) -> None:
    late = site.ask("POST", OWN, {"command": "late", "title": "Late", "text": "too late"})
    chat.text.press_sequentially("/late")
    expect(offered(chat)).to_have_count(1)
    site.ask("DELETE", f"{OWN}/{late['id']}")
    chat.text.press("Enter")
    expect(chat.page.locator("[data-toasts]")).to_contain_text(say("error.not_found"))
    expect(chat.text).to_have_value("/late")
    visits.watch(chat.page).problems.clear()  # the browser notes the refusal
    chat.text.fill("")
    chat.text.press_sequentially("/")
    expect(offered(chat)).to_have_count(3)


def test_what_was_chosen_comes_before_its_command_is_sent(chat: Chat, script: ScriptedUpstream) -> None:
    held = Held(chat.page, f"**{OFFERED}/*/text")
    chat.text.press_sequentially("/sh")
    expect(offered(chat)).to_have_count(1)
    chat.text.press("Enter")
    chat.text.press("Enter")
    held.wait()
    expect(chat.text).to_have_value("/sh")
    held.let_go()
    expect(chat.text).to_have_value("/Shorter, please.")
    assert script.journal.chats == []
    expect(chat.questions).to_have_count(0)


def test_the_longest_text_with_the_most_variables_comes_whole(chat: Chat, site: Site) -> None:
    text = "".join(f"{{{{v{number}}}}}\n" for number in range(20)) + "line\n" * 3_900
    long = site.ask("POST", OWN, {"command": "long", "title": "Long", "text": text})
    chat.text.press_sequentially("/long")
    expect(offered(chat)).to_have_count(1)
    chat.text.press("Enter")
    fields = chat.page.get_by_role("dialog").get_by_role("textbox")
    expect(fields).to_have_count(20)
    fields.last.fill("last")
    fields.last.press("Enter")
    expect(chat.text).to_have_value("\n" * 19 + "last\n" + "line\n" * 3_900)
    site.ask("DELETE", f"{OWN}/{long['id']}")


def test_a_finger_chooses(visits: Visits, prompts: None, script: ScriptedUpstream) -> None:
    in_chinese = words("zh")
    chat = Chat(visits.open("/", viewport=PHONE, locale="zh"), in_chinese)
    chat.text.tap()
    chat.text.press_sequentially("/")
    offered(chat).filter(has_text="/class").tap()
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_label("topic").fill("光")
    dialog.get_by_role("button", name=in_chinese("prompts.put_in")).tap()
    expect(chat.text).to_have_value("Tell a class about 光.")
    assert script.journal.chats == []


@pytest.mark.parametrize(("locale", "viewport"), [("en", PHONE), ("zh", WIDE)])
def test_everybody_can_use_the_list_and_its_questions(
    locale: str, viewport: ViewportSize, visits: Visits, prompts: None
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    chat.text.press_sequentially("/")
    expect(offered(chat)).to_have_count(3)
    expect_no_fault(chat.page, locale)
    offered(chat).filter(has_text="/sum").click()
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    expect_no_fault(chat.page, locale)


def write(page: Page, say: Words, **values: str) -> Locator:
    dialog = page.get_by_role("dialog")
    for name, value in values.items():
        dialog.locator(f'[name="{name}"]').fill(value)
    dialog.get_by_role("button", name=say("base.save")).click()
    return dialog


@pytest.mark.parametrize(("locale", "viewport"), [("en", PHONE), ("zh", WIDE)])
@pytest.mark.parametrize("path", ["/prompts", "/admin/prompts"])
def test_prompts_are_added_found_changed_and_deleted(
    path: str, locale: str, viewport: ViewportSize, visits: Visits
) -> None:
    say, page = words(locale), visits.open(path, locale=locale, viewport=viewport)
    rows = page.locator("[data-prompt-list] > li")
    expect(page.get_by_text(say("js.prompts.none"))).to_be_visible()
    page.get_by_role("button", name=say("prompts.new")).click()
    dialog = write(page, say, command="/two words", title="<b>Title</b>", text="Text {{a}}")
    expect(dialog.get_by_role("alert").filter(has_text=say("error.bad_prompt_command", limit=32))).to_be_visible()
    expect_no_fault(page, locale)
    write(page, say, command="/翻译")
    expect(rows).to_have_count(1)
    expect(rows.locator("[data-slot=title]")).to_have_text("<b>Title</b>")
    expect(rows.get_by_role("button", name=say("js.prompts.edit", command="/翻译"))).to_be_focused()
    page.get_by_role("button", name=say("prompts.new")).click()
    dialog = write(page, say, command="翻译", title="Another", text="Text")
    expect(dialog.get_by_role("alert").filter(has_text=say("error.prompt_command_taken"))).to_be_visible()
    write(page, say, command="other")
    expect(rows).to_have_count(2)
    page.get_by_role("searchbox").fill("another")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text(say("js.prompts.none_found"))).to_be_visible()
    page.get_by_role("searchbox").fill("")
    expect(rows).to_have_count(2)
    expect_no_fault(page, locale)
    rows.filter(has_text="/翻译").get_by_role("button").first.click()
    expect(page.get_by_role("dialog").locator("[name=text]")).to_have_value("Text {{a}}")
    write(page, say, title="Translate")
    expect(rows.filter(has_text="Translate")).to_have_count(1)
    for left in (1, 0):
        rows.first.locator("[data-delete]").click()
        page.get_by_role("alertdialog").get_by_role("button", name=say("js.prompts.delete_action"), exact=True).click()
        expect(rows).to_have_count(left)
        expect(page.locator("[data-new-prompt]")).to_be_focused()


def test_one_that_was_deleted_elsewhere_leaves_the_list(visits: Visits, site: Site, prompts: None) -> None:
    page = visits.open("/prompts")
    rows = page.locator("[data-prompt-list] > li")
    late = site.ask("POST", OWN, {"command": "late", "title": "Late", "text": "too late"})
    page.reload()
    expect(rows).to_have_count(3)
    site.ask("DELETE", f"{OWN}/{late['id']}")
    rows.filter(has_text="/late").locator("[data-edit]").click()
    expect(rows).to_have_count(2)
    visits.watch(page).problems.clear()  # the browser notes the refusal
