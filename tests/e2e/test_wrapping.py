"""Long lines of code: scrolled sideways, or broken for whoever wants that."""

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
WIDE_LINE = f"print('{'wide ' * 60}')"
CODE = f"```python\n{WIDE_LINE}\n```"
TWO = f"First.\n\n{CODE}\n\nThen.\n\n{CODE}"
BROKEN = "code => code.scrollWidth <= code.clientWidth"

pytestmark = pytest.mark.browser


def wrap(chat: Chat, number: int = 0) -> Locator:
    return chat.page.get_by_role("button", name=chat.say("chat.wrap_code"), exact=True).nth(number)


def code(chat: Chat, number: int = 0) -> Locator:
    return chat.page.locator("pre").nth(number)


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_all_code_follows_the_choice_here_and_after_a_reload(
    visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    script.script(Answer(TWO), Answer(CODE))
    chat.ask("Show me.")
    expect(wrap(chat)).to_have_attribute("aria-pressed", "false")
    assert not code(chat).evaluate(BROKEN)
    wrap(chat).click()
    for number in (0, 1):
        expect(wrap(chat, number)).to_have_attribute("aria-pressed", "true")
        assert code(chat, number).evaluate(BROKEN)
    expect_no_fault(chat.page, locale)
    chat.ask("And again.")
    assert code(chat, 2).evaluate(BROKEN)
    chat.page.reload()
    expect(wrap(chat, 2)).to_have_attribute("aria-pressed", "true")
    wrap(chat, 2).click()
    expect(wrap(chat)).to_have_attribute("aria-pressed", "false")
    assert not code(chat).evaluate(BROKEN)


def test_what_is_pressed_stays_in_its_place(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    script.script(Answer(f"{TWO}\n\n" * 6))
    chat.ask("Show me.")
    thread = chat.page.locator("[data-thread]")
    thread.evaluate("thread => thread.scrollTop = thread.scrollHeight / 2")
    chat.page.locator("[data-latest]").wait_for()
    middle = "button => { const { top } = button.getBoundingClientRect(); return top > 200 && top < innerHeight / 2 }"
    number = next(number for number in range(12) if wrap(chat, number).evaluate(middle))
    before = wrap(chat, number).evaluate("button => button.getBoundingClientRect().top")
    wrap(chat, number).evaluate("button => button.click()")
    after = wrap(chat, number).evaluate("button => button.getBoundingClientRect().top")
    assert abs(after - before) < 2


def test_code_that_is_being_written_can_be_broken_and_the_end_is_followed(
    visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open("/"), say)
    gate = Gate(300, 320)
    script.script(Answer("```text\n" + "\n".join(f"line {number} {'wide ' * 40}" for number in range(30)), gate=gate))
    chat.send("Show me.")
    expect(code(chat)).to_contain_text("line 5")
    chat.page.evaluate("document.querySelector('[data-wrap-code]').click()")  # at once: it is drawn anew as it grows
    gate.let_go()
    assert code(chat).evaluate(BROKEN)
    gate.let_go()
    chat.wait_until_answered()
    assert code(chat).evaluate(BROKEN), "the block that is drawn anew follows"
    expect(wrap(chat)).to_have_attribute("aria-pressed", "true")
    expect(chat.page.locator("[data-latest]")).to_be_hidden()


@pytest.mark.parametrize("wraps", [False, True])
def test_paper_always_breaks_them(visits: Visits, script: ScriptedUpstream, wraps: bool) -> None:
    chat = Chat(visits.open("/"), say)
    script.script(Answer(CODE))
    chat.ask("Show me.")
    if wraps:
        wrap(chat).click()
    chat.page.emulate_media(media="print")
    chat.page.set_viewport_size({"width": 794, "height": 1123})
    expect(chat.page.locator("[data-wrap-code]")).to_be_hidden()
    assert code(chat).evaluate(BROKEN)
