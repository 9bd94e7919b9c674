"""A page that is loaded again in the middle of an answer: that is told from its start, and its end stays in view."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

PARAGRAPHS = 60
TEXT = "".join(f"Paragraph {number} of an answer longer than a window.\n\n" for number in range(PARAGRAPHS + 20))
BELOW = """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const { scrollHeight, scrollTop, clientHeight } = document.querySelector("[data-thread]")
  resolve(Math.round(scrollHeight - scrollTop - clientHeight))
})))"""

pytestmark = pytest.mark.browser


def below(page: Page) -> int:
    """How many pixels of the thread are below what is seen, once it is drawn."""
    return int(page.evaluate(BELOW))


@pytest.mark.parametrize("viewport", [PHONE, WIDE])
def test_it_stays_at_the_end(visits: Visits, script: ScriptedUpstream, viewport: ViewportSize) -> None:
    gate = Gate(PARAGRAPHS * 10)  # words
    script.script(Answer(text=TEXT, gate=gate))
    chat = Chat(visits.open("/", viewport=viewport), words("en"))
    page = chat.page
    chat.send("Tell me much")
    expect(chat.prose.get_by_text(f"Paragraph {PARAGRAPHS - 10} ")).to_be_visible()
    for _ in range(4):
        page.reload()
        expect(chat.answer).to_contain_class("message--written")
        expect(chat.prose.get_by_text(f"Paragraph {PARAGRAPHS - 10} ")).to_be_visible()
        assert below(page) == 0
    gate.open()
    expect(chat.prose.get_by_text(f"Paragraph {PARAGRAPHS + 19} ")).to_be_in_viewport()
