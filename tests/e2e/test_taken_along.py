"""What a reader takes from a message: copies, a quotation, what the ledger has of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.clipboard import copied
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

QUESTION = "Why is the sky blue?"
SECONDS = "async (milliseconds) => (await import('app/usage/figures.js')).formatSeconds(milliseconds)"

pytestmark = pytest.mark.browser


@pytest.fixture(params=[(WIDE, "en"), (PHONE, "zh")], ids=["wide", "phone"])
def chat(request: pytest.FixtureRequest, visits: Visits, script: ScriptedUpstream) -> Chat:
    viewport, locale = request.param
    return Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))


def test_copies(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("## Light\n\nIt is **blue**:\n\n- one\n- two, $x^2$"))
    chat.ask(QUESTION)
    chat.question().hover()
    assert copied(chat.page, chat.act(chat.question(), "copy_question").click) == QUESTION
    expect(chat.page.locator(".toast").last).to_have_text(re.compile(chat.say("js.copied")))
    chat.act(chat.answer, "answer_menu").click()
    plain = copied(chat.page, chat.page.locator("[data-answer-menu]").get_by_text(chat.say("chat.copy_plain")).click)
    assert plain == "Light\n\nIt is blue:\n\n• one\n• two, $x^2$"
    assert "**blue**" in chat.copied_answer()


MARK = """(text) => {
  const range = document.createRange()
  range.selectNodeContents(text)
  getSelection().removeAllRanges()
  getSelection().addRange(range)
}"""


def test_what_is_marked_is_quoted_after_what_was_written(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("First.\n\nIt is **blue**.\n\nLast."))
    chat.ask(QUESTION)
    chat.text.fill("About this:")
    button = chat.page.locator("[data-quote]")
    expect(button).to_be_hidden()
    chat.prose.locator("p").nth(1).evaluate(MARK)
    expect(button).to_be_visible()
    expect_no_violation(chat.page)
    button.click()
    expect(chat.text).to_have_value("About this:\n\n> It is blue.\n\n")
    expect(chat.text).to_be_focused()
    expect(button).to_be_hidden()
    chat.question().locator("[data-slot=text]").evaluate(MARK)
    chat.page.wait_for_timeout(300)
    expect(button).to_be_hidden()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_details_say_what_the_ledger_has(visits: Visits, script: ScriptedUpstream, site: Site, locale: str) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    spent = Usage(prompt=1200, cached=1000, completion=345, reasoning=45)
    script.script(Answer("blue it is, and bluer", usage=spent, tokens_per_second=5))
    chat.ask(QUESTION)
    chat.answer.locator("[data-about]").click()
    details = chat.page.get_by_role("dialog", name=chat.say("chat.details"))
    expect(details).to_contain_text(f"1,200 · {chat.say('js.dashboard.cached', count='1,000')}")
    expect(details).to_contain_text(f"345 · {chat.say('js.dashboard.reasoning', count='45')}")
    expect(details).to_contain_text(re.compile(r"¥\d"))
    (row,) = site.rows("SELECT * FROM token_usage WHERE message_id IS NOT NULL ORDER BY created_at DESC LIMIT 1")
    first, whole = row["first_token_ms"], row["duration_ms"]
    assert 0 <= first < whole - 500, "it came word by word"
    for name, figure in (
        ("first_token", chat.page.evaluate(SECONDS, first)),
        ("speed", chat.say("js.details_per_second", count=int(345_000 / (whole - first) + 0.5))),
        ("duration", chat.page.evaluate(SECONDS, whole)),
    ):
        label = re.compile(f"^{re.escape(chat.say(f'js.details_{name}'))}$")
        expect(details.locator("dt").filter(has_text=label).locator("+ dd")).to_have_text(figure)
    chat.page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(chat.answer.locator("[data-about]")).to_be_focused()
