"""A conversation gets another name and its last question other words, on a wide screen and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, ScriptedUpstream

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(look: Look, visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(look.open(visits, "/"), look.say)


def test_it_has_its_new_name_in_the_list_and_above_it(look: Look, chat: Chat) -> None:
    page, before, after = chat.page, f"Before {look.locale}", f"After {look.locale}"
    chat.ask(before)
    opener = page.get_by_role("button", name=look.say("chat.open_list"))
    if opener.is_visible():
        opener.tap()
    chat.choose(before, look.say("chat.rename"))
    dialog = page.get_by_role("dialog", name=look.say("chat.rename_title"))
    dialog.get_by_label(look.say("chat.title"), exact=True).fill(after)
    dialog.get_by_role("button", name=look.say("base.save")).click()
    expect(dialog).to_be_hidden()
    expect(chat.in_list(after)).to_be_focused()
    expect(chat.in_list(before)).to_have_count(0)
    expect(page.locator("[data-title]")).to_have_text(after)
    look.expect_no_fault(page)
    page.reload()
    expect(page.locator("[data-title]")).to_have_text(after)


def test_the_arrow_opens_the_last_question_and_its_button_sends_it(
    look: Look, chat: Chat, script: ScriptedUpstream
) -> None:
    script.script(Answer("Water between rocks."), Answer("Land between waters."))
    chat.ask("What is a fjord?")
    chat.text.press("ArrowUp")
    editor = chat.question().get_by_label(look.say("chat.edit_message"))
    expect(editor).to_be_focused()
    expect(editor).to_have_value("What is a fjord?")
    editor.fill("What is an isthmus?")
    look.expect_no_fault(chat.page)
    send = chat.question().get_by_role("button", name=look.say("chat.send"), exact=True)
    send.click()
    expect(chat.questions).to_have_text("What is an isthmus?")
    expect(chat.prose).to_have_text("Land between waters.")
    expect(chat.question().locator("[data-slot=version]")).to_have_text("2/2")
    look.expect_no_fault(chat.page)
