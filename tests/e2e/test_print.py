"""A conversation on paper: all that was said, in dark ink, and nothing that can be pressed."""

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
LONG = "\n\n".join(f"Paragraph {number} of what is to be printed." for number in range(80))
CODE = f"```python\nprint('{'wide ' * 60}')\n```"
LINK = "[the paper](https://example.org/paper)"
SHEET = {"width": 794, "height": 1123}  # A4 at 96 dots an inch

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_conversation_is_printed_whole(visits: Visits, script: ScriptedUpstream, scheme: str) -> None:
    script.script(Answer(f"{LONG}\n\n{CODE}\n\nSee {LINK}."))
    chat = Chat(visits.open("/", scheme="dark" if scheme == "dark" else "light"), say)
    chat.ask("Print me.")
    page = chat.page
    page.locator(".hljs-string").wait_for()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": SHEET["width"], "height": SHEET["height"]})
    for shown in (chat.questions.first, chat.prose, page.locator("[data-title]")):
        expect(shown).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(page.locator("[data-list]")).to_be_hidden()
    height, width = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert height > 3 * SHEET["height"], "all paragraphs are on the paper, not those in view alone"
    assert width <= SHEET["width"]
    assert page.locator("pre").evaluate("code => code.scrollWidth <= code.clientWidth"), "long lines are broken"
    after = "link => getComputedStyle(link, '::after').content"
    assert "https://example.org/paper" in page.get_by_role("link", name="the paper").evaluate(after)
    assert page.locator("html").evaluate("page => getComputedStyle(page).backgroundColor") == "rgb(255, 255, 255)"
