"""Choosing the model in the text itself, by @."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.test_keyboard import COMPOSING, PRESS
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
FLASH, PRO = "deepseek-flash", "deepseek-v4-pro"
MODULE = "/js/chat/mention.js"
CHOSEN = "select => select.selectedOptions[0].text"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def offered(chat: Chat) -> Locator:
    return chat.page.get_by_role("listbox", name=chat.say("chat.models")).get_by_role("option")


def active(chat: Chat) -> Locator:
    """The option that a screen reader is told of."""
    return chat.page.locator(f"#{chat.text.get_attribute('aria-activedescendant')}")


def model(chat: Chat) -> str:
    chosen: str = chat.models.evaluate(CHOSEN)
    return chosen


def modules(chat: Chat, visits: Visits) -> list[str]:
    return [request.url for request in visits.watch(chat.page).requests if MODULE in request.url]


def test_a_chosen_model_leaves_the_text_and_answers_next(chat: Chat, visits: Visits, script: ScriptedUpstream) -> None:
    chat.page.wait_for_load_state("networkidle")
    chat.text.press_sequentially("Hello me@example.com ")
    assert modules(chat, visits) == [], "a mail address asks for nothing"
    chat.text.press_sequentially("@pro")
    expect(offered(chat)).to_have_count(1)
    expect(active(chat)).to_contain_text(PRO)
    assert len(modules(chat, visits)) == 1
    chat.text.press("Enter")
    expect(chat.text).to_have_value("Hello me@example.com ")
    expect(chat.text).to_be_focused()
    expect(offered(chat)).to_have_count(0)
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.model_chosen", name=PRO))
    assert model(chat) == PRO
    chat.text.press("Enter")
    chat.wait_until_answered()
    assert script.journal.chats[-1].model == PRO
    chat.page.reload()
    expect(chat.text).to_be_visible()
    assert model(chat) == PRO, "it is the same choice as in the field"


def test_arrows_go_round_tab_chooses_and_escape_closes(chat: Chat) -> None:
    chat.models.select_option(label=PRO)
    chat.text.press_sequentially("@deep")
    expect(offered(chat)).to_contain_text([FLASH, PRO])
    expect(offered(chat)).to_contain_text(["", say("js.model_is_chosen")])
    expect(active(chat)).to_contain_text(FLASH)
    chat.text.press("ArrowUp")
    expect(active(chat)).to_contain_text(PRO)
    chat.text.press("Escape")
    expect(offered(chat)).to_have_count(0)
    chat.text.press("s")
    expect(offered(chat)).to_have_count(0)
    expect(chat.text).to_have_value("@deeps")
    chat.text.press_sequentially(" @")
    expect(offered(chat)).to_have_count(2)
    chat.text.press("ArrowDown")
    chat.text.press("ArrowDown")
    expect(active(chat)).to_contain_text(FLASH)
    chat.text.press("Tab")
    expect(chat.text).to_be_focused()
    expect(chat.text).to_have_value("@deeps ")
    assert model(chat) == FLASH
    chat.text.press("Control+z")
    expect(chat.text).to_have_value("@deeps @")


def test_a_list_that_was_closed_opens_again_in_the_next_message(chat: Chat) -> None:
    chat.text.press_sequentially("@deep")
    expect(offered(chat)).not_to_have_count(0)
    chat.text.press("Escape")
    expect(offered(chat)).to_have_count(0)
    chat.text.press("Enter")
    chat.wait_until_answered()
    chat.text.press_sequentially("@pro")
    expect(offered(chat)).to_have_count(1)


def test_what_fits_no_model_is_sent_as_it_is(chat: Chat) -> None:
    chat.text.press_sequentially("@")
    expect(offered(chat)).to_have_count(2)
    chat.text.press_sequentially("everybody")
    expect(offered(chat)).to_have_count(0)
    expect(chat.text).not_to_have_attribute("aria-controls", "mention")
    chat.text.press("Enter")
    expect(chat.questions).to_have_text("@everybody")
    chat.wait_until_answered()


@pytest.mark.parametrize("kind", COMPOSING)
def test_the_enter_of_an_input_method_chooses_nothing(kind: str, chat: Chat) -> None:
    chat.models.select_option(label=PRO)
    chat.text.press_sequentially("@")
    expect(offered(chat)).to_have_count(2)
    assert not chat.text.evaluate(PRESS, COMPOSING[kind])
    assert model(chat) == PRO
    expect(offered(chat)).to_have_count(2)


def test_a_finger_chooses(visits: Visits) -> None:
    chat = Chat(visits.open("/", viewport=PHONE, locale="zh"), words("zh"))
    chat.models.select_option(index=chat.models.locator("option").all_inner_texts().index(FLASH))
    chat.text.tap()
    chat.text.press_sequentially("@")
    offered(chat).filter(has_text=PRO).tap()
    expect(chat.text).to_have_value("")
    expect(chat.text).to_be_focused()
    assert model(chat) == PRO


def test_leaving_the_text_or_the_word_closes_the_list(chat: Chat) -> None:
    chat.text.press_sequentially("ask @")
    expect(offered(chat)).to_have_count(2)
    chat.text.press("Home")
    expect(offered(chat)).to_have_count(0)
    chat.text.press("End")
    chat.text.press("d")
    expect(offered(chat)).to_have_count(2)
    chat.models.focus()
    expect(offered(chat)).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_everybody_can_use_the_list(locale: str, visits: Visits) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    chat.text.press_sequentially("@")
    expect(offered(chat)).to_have_count(2)
    expect_no_fault(chat.page, locale)
