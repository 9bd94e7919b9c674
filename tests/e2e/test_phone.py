"""The chat under a finger."""

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

SIZES = """[...document.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea")]
    .map(field => [field.outerHTML.slice(0, 120), parseFloat(getComputedStyle(field).fontSize)])"""

en = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits) -> Chat:
    return Chat(visits.open("/", viewport=PHONE), en)


def test_enter_breaks_the_line_and_the_button_sends(chat: Chat, script: ScriptedUpstream) -> None:
    chat.text.fill("one")
    chat.text.press("Enter")
    chat.text.press_sequentially("two")
    expect(chat.questions).to_have_count(0)
    chat.send_button.tap()
    expect(chat.questions.last).to_have_text("one\ntwo")
    chat.wait_until_answered()


def test_opening_the_list_takes_the_focus_there_and_closing_it_back(chat: Chat) -> None:
    chat.page.wait_for_load_state("networkidle")
    opener = chat.page.get_by_role("button", name=en("chat.open_list"))
    opener.tap()
    expect(chat.page.locator("[data-sidebar] a").first).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_an_answer_that_was_stopped_in_its_thoughts_says_what_it_took(chat: Chat, script: ScriptedUpstream) -> None:
    script.default = Answer("word " * 300, thinking="hmm " * 300, tokens_per_second=20)
    chat.send("Think hard.")
    expect(chat.answer.locator("[data-slot=thinking]")).to_be_visible()
    chat.stop_button.tap()
    told = chat.answer.locator("[data-slot=about]")
    expect(told).to_contain_text("tokens")
    chat.page.reload()
    expect(told).to_contain_text("tokens")


def test_two_fingers_enlarge_the_page_and_leave_it_whole(chat: Chat) -> None:
    height = "document.querySelector('[data-chat]').getBoundingClientRect().height"
    before = chat.page.evaluate(height)
    chat.page.context.new_cdp_session(chat.page).send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    wait_until(lambda: chat.page.evaluate("visualViewport.scale") == 2)
    chat.page.wait_for_timeout(300)
    assert abs(chat.page.evaluate(height) - before) <= 1


@pytest.mark.parametrize("path", ["/", "/dashboard", "/account", "/tokens"])
def test_no_field_is_enlarged_when_a_finger_goes_to_it(path: str, visits: Visits) -> None:
    page = visits.open(path, viewport=PHONE)
    assert page.evaluate("matchMedia('(pointer: coarse)').matches"), "a finger is asked for"
    sizes = page.evaluate(SIZES)
    assert sizes, "there must be fields"
    assert [each for each in sizes if each[1] < 16] == []
