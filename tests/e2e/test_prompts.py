"""Prompts: kept on a page of one's own, chosen in a message by /."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.e2e import prompts_kept
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.held import Held, let_no_time_pass
from tests.e2e.prompts_kept import OFFERED, OWN
from tests.e2e.site import Site
from tests.e2e.test_keyboard import COMPOSING, PRESS
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
pytestmark = pytest.mark.browser


@pytest.fixture
def prompts(site: Site) -> Iterator[None]:
    yield from prompts_kept.kept(site)


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
    parts = (OFFERED, "/js/chat/prompt-", "/js/prompts/", "/js/chat/text-list")
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


def test_a_command_that_is_sent_before_the_list_has_come_waits_for_it(chat: Chat, script: ScriptedUpstream) -> None:
    held = Held(chat.page, f"**{OFFERED}")
    chat.text.press_sequentially("/sh")
    held.wait()
    let_no_time_pass(chat.page)
    chat.text.press("Enter")
    chat.text.press("Enter")
    expect(chat.page.locator("[data-send]")).to_have_attribute("aria-busy", "true")
    held.let_go()
    expect(offered(chat)).to_have_count(1)
    expect(chat.page.locator("[data-send][aria-busy]")).to_have_count(0)
    chat.page.clock.resume()
    expect(chat.text).to_have_value("/sh")
    assert script.journal.chats == []
    chat.text.press("Enter")
    expect(chat.text).to_have_value("/Shorter, please.")
    expect(chat.questions).to_have_count(0)


def test_a_command_that_no_prompt_has_is_sent_once_that_is_known(chat: Chat) -> None:
    held = Held(chat.page, f"**{OFFERED}")
    chat.text.press_sequentially("/nothing")
    held.wait()
    chat.page.locator("[data-send]").click()
    expect(chat.text).to_have_value("/nothing")
    expect(chat.text).to_be_focused()
    held.let_go()
    expect(chat.questions).to_have_text("/nothing")
    chat.wait_until_answered()


def test_a_list_that_is_late_is_waited_for_no_longer(chat: Chat) -> None:
    held = Held(chat.page, f"**{OFFERED}")
    chat.text.press_sequentially("/sh")
    held.wait()
    chat.text.press("Enter")
    expect(chat.questions).to_have_text("/sh")
    chat.wait_until_answered()
    held.let_go()
    chat.text.press_sequentially("/sh")
    expect(offered(chat)).to_have_count(1)


def test_a_list_that_cannot_be_had_is_told_and_nothing_is_sent(
    chat: Chat, visits: Visits, script: ScriptedUpstream
) -> None:
    held = Held(chat.page, f"**{OFFERED}")
    chat.text.press_sequentially("/sh")
    list_request = held.wait()
    let_no_time_pass(chat.page)
    chat.text.press("Enter")
    held.routes.clear()
    list_request.fulfill(status=503, json={"error": {"code": "unavailable", "message": ""}})
    expect(chat.page.locator("[data-toasts] li, [data-toasts] > *")).to_have_count(1)
    expect(chat.page.locator("[data-send][aria-busy]")).to_have_count(0)
    chat.page.clock.resume()
    expect(chat.text).to_have_value("/sh")
    assert script.journal.chats == []
    chat.text.press("Enter")
    expect(chat.questions).to_have_text("/sh")
    chat.wait_until_answered()
    held.let_go()
    visits.watch(chat.page).problems.clear()  # the browser notes the refusal


def test_it_is_said_how_many_fit_though_not_all_are_shown(chat: Chat) -> None:
    many = [{"id": str(n), "command": f"p{n}", "title": f"No {n}", "source": "site"} for n in range(60)]
    chat.page.route(f"**{OFFERED}", lambda route: route.fulfill(json={"prompts": many}))
    chat.text.press_sequentially("/")
    expect(offered(chat)).to_have_count(50)
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.prompts_offered", count=60))


def test_a_text_that_the_browser_cannot_take_back_is_taken_back_here(chat: Chat, site: Site) -> None:
    long = site.ask("POST", OWN, {"command": "long", "title": "Long", "text": "line\n" * 300})
    chat.text.fill("before\n")
    chat.text.press_sequentially("/long")
    expect(offered(chat)).to_have_count(1)
    chat.text.press("Enter")
    expect(chat.text).to_have_value("before\n" + "line\n" * 300)
    undo = chat.page.get_by_role("button", name=say("base.undo"))
    undo.click()
    expect(chat.text).to_have_value("before\n/long")
    expect(chat.text).to_be_focused()
    expect(undo).to_be_hidden()
    expect(offered(chat)).to_have_count(0)
    chat.text.fill("")
    chat.text.press_sequentially("/long")
    expect(offered(chat)).to_have_count(1)
    chat.text.press("Enter")
    expect(undo).to_be_visible()
    chat.text.press("x")
    expect(undo).to_be_hidden()
    expect(chat.text).to_have_value("line\n" * 300 + "x")
    site.ask("DELETE", f"{OWN}/{long['id']}")


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
