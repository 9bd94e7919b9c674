"""Text that the reader marks, copies or is at, while an answer grows and after it."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.chat import Chat
from tests.e2e.clipboard import copied
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

LINE = "wide " * 40
CODE = "\n".join(f"{LINE}c{number}" for number in range(1, 4)) + "\n" + " ".join(f"w{n}" for n in range(1, 1500))
CODE_NOW = "document.querySelector('.message--answer code')"  # found and used in one go: it is drawn anew all the time
# How somebody comes to be at the growing code, and how that ends.
USES = {
    "pressed": (
        f"{CODE_NOW}.dispatchEvent(new PointerEvent('pointerdown', {{ bubbles: true }}))",
        "document.body.dispatchEvent(new PointerEvent('pointerup', { bubbles: true }))",
    ),
    "marked": (
        f"((text) => getSelection().setBaseAndExtent(text, 5, text, 9))({CODE_NOW}.firstChild)",
        "getSelection().removeAllRanges()",
    ),
    "focused": (f"{CODE_NOW}.closest('pre').focus({{ focusVisible: true }})", "document.activeElement.blur()"),
}

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(request: pytest.FixtureRequest, visits: Visits, script: ScriptedUpstream) -> Chat:
    viewport = getattr(request, "param", WIDE)
    locale = "zh" if viewport is PHONE else "en"
    return Chat(visits.open("/", viewport=viewport, locale=locale), words(locale))


def ask_for_code(chat: Chat, script: ScriptedUpstream) -> tuple[Locator, Gate]:
    """Ask, and wait for the beginning of code that goes on growing; gives what is drawn of it, and its pace."""
    gate = Gate(1400)
    script.script(Answer(f"```\n{CODE}\n```\n\nThe end.", tokens_per_second=60, gate=gate))
    chat.send("Code, please.")
    code = chat.prose.locator("code")
    expect(code).to_contain_text("w5 ")
    return code, gate


@pytest.mark.parametrize(
    ("chat", "how"), [(WIDE, "pressed"), (WIDE, "marked"), (WIDE, "focused"), (PHONE, "marked")], indirect=["chat"]
)
def test_what_is_in_use_is_not_drawn_anew_and_nothing_is_lost(chat: Chat, script: ScriptedUpstream, how: str) -> None:
    code, gate = ask_for_code(chat, script)
    use, leave = USES[how]
    chat.page.evaluate(use)
    chat.page.evaluate(f"{CODE_NOW}.isTheSame = true")
    chat.page.wait_for_timeout(500)
    assert chat.page.evaluate(f"{CODE_NOW}.isTheSame"), "it is not drawn anew meanwhile"
    held = code.text_content() or ""
    chat.page.evaluate(leave)
    wait_until(lambda: code.text_content() != held)
    assert chat.stop_button.is_visible(), "not only at its end"
    gate.open()
    chat.wait_until_answered()
    assert code.text_content() == f"{CODE}\n"
    expect(chat.prose.get_by_text("The end.")).to_have_count(1)


def test_a_growing_block_stays_scrolled_sideways_and_keeps_the_focus(chat: Chat, script: ScriptedUpstream) -> None:
    code, gate = ask_for_code(chat, script)
    scrolled = f"{CODE_NOW}.closest('pre').scrollLeft"
    chat.page.evaluate(f"{scrolled} = 80")
    box = chat.page.evaluate("document.querySelector('[data-copy-code]').getBoundingClientRect().toJSON()")
    text = copied(chat.page, lambda: chat.page.mouse.click(box["x"] + 5, box["y"] + 5, delay=200))
    assert text.startswith(LINE)
    wait_until(lambda: len(code.text_content() or "") > len(text) + 20)
    assert chat.stop_button.is_visible()
    assert chat.page.evaluate(scrolled) == 80
    assert chat.page.evaluate("document.activeElement.matches('[data-copy-code]')")
    gate.open()
    chat.wait_until_answered()
    assert chat.page.evaluate(scrolled) == 80


def test_what_is_still_marked_when_the_answer_ends_is_drawn_to_its_end(chat: Chat, script: ScriptedUpstream) -> None:
    code, gate = ask_for_code(chat, script)
    chat.page.evaluate(USES["marked"][0])
    gate.open()
    chat.wait_until_answered()
    assert code.text_content() == f"{CODE}\n"
    expect(chat.prose.get_by_text("The end.")).to_have_count(1)


FORMULAS = "So $E=mc^2$ holds.\n\n- one $x_1$\n- two\n\n$$\\frac{a}{b}$$\n\nThe end."
AS_PLAIN_TEXT = "So $E=mc^2$ holds.\n\n• one $x_1$\n• two\n\n$$\\frac{a}{b}$$\n\nThe end."
COPIED = """async () => {
  const [item] = await navigator.clipboard.read()
  return (await item.getType("text/html")).text()
}"""


def marked(chat: Chat, mark: str) -> str:
    """Mark by a script, and copy by the keyboard; gives the plain text."""
    chat.page.evaluate(mark)
    return copied(chat.page, lambda: chat.page.keyboard.press("Control+c"))


def test_marked_formulas_are_copied_once_as_their_tex(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer(FORMULAS), Answer("A second $y$."))
    chat.ask("First\nand second line?")
    expect(chat.prose.locator(".katex")).to_have_count(3)
    prose = "document.querySelector('.message--answer .prose[data-slot=text]')"
    assert marked(chat, f"getSelection().selectAllChildren({prose})") == AS_PLAIN_TEXT
    html = chat.page.evaluate(COPIED)
    assert html.count("E=mc^2") == 1
    assert "<li>" in html
    katex = f"{prose}.querySelector('.katex')"
    within = "({ firstChild, lastChild }) => getSelection().setBaseAndExtent(firstChild, 0, lastChild, 1)"
    assert marked(chat, f"({within})({katex})") == "$E=mc^2$"
    chat.ask("And?")
    expect(chat.prose.locator(".katex")).to_have_count(1)
    both = marked(chat, "getSelection().selectAllChildren(document.querySelector('[data-messages]'))")
    assert both == f"First\nand second line?\n\n{AS_PLAIN_TEXT}\n\nAnd?\n\nA second $y$."
    last = marked(chat, f"getSelection().selectAllChildren({prose}.lastElementChild)")
    assert last == "The end.", "without a formula it is the browser's affair"


def test_the_browsers_own_menu_holds_nothing_up(chat: Chat, script: ScriptedUpstream) -> None:
    code, _ = ask_for_code(chat, script)
    press = "new PointerEvent('pointerdown', { bubbles: true, button: 2 })"  # whose end the menu keeps to itself
    chat.page.evaluate(f"{CODE_NOW}.dispatchEvent({press})")
    length = len(code.text_content() or "")
    wait_until(lambda: len(code.text_content() or "") > length + 100)
    assert chat.stop_button.is_visible(), "not only at its end"


PARAGRAPHS = "Words that stand already.\n\n" + " ".join(f"w{n}" for n in range(1, 1500))
PARAGRAPH_NOW = "[...document.querySelectorAll('.message--answer .prose[data-slot=text] p')].at({at})"
MARK = "((text) => getSelection().setBaseAndExtent(text, 1, text, 5))({paragraph}.firstChild)"


@pytest.mark.parametrize("chat", [WIDE, PHONE], indirect=True, ids=["wide", "phone"])
def test_a_paragraph_stays_marked_while_the_answer_grows(chat: Chat, script: ScriptedUpstream) -> None:
    gate = Gate(1400)
    script.script(Answer(PARAGRAPHS, tokens_per_second=60, gate=gate))
    chat.send("Words, please.")
    paragraphs = chat.prose.locator("p")
    expect(paragraphs.last).to_contain_text("w5 ")
    is_marked = "() => String(getSelection())"

    chat.page.evaluate(MARK.format(paragraph=PARAGRAPH_NOW.format(at=0)))
    length = len(paragraphs.last.text_content() or "")
    wait_until(lambda: len(paragraphs.last.text_content() or "") > length + 60)
    assert chat.page.evaluate(is_marked) == "ords", "what is settled is marked while more comes"

    chat.page.evaluate(MARK.format(paragraph=PARAGRAPH_NOW.format(at=-1)))
    marked, held = chat.page.evaluate(is_marked), paragraphs.last.text_content()
    chat.page.wait_for_timeout(500)
    assert chat.page.evaluate(is_marked) == marked == "1 w2"
    assert paragraphs.last.text_content() == held, "what grows waits for its reader"
    chat.page.evaluate("getSelection().removeAllRanges()")
    wait_until(lambda: paragraphs.last.text_content() != held)
    assert chat.stop_button.is_visible(), "not only at its end"
    chat.page.evaluate(MARK.format(paragraph=PARAGRAPH_NOW.format(at=0)))
    gate.open()
    chat.wait_until_answered()
    assert chat.page.evaluate(is_marked) == "ords"
    expect(paragraphs).to_have_text(PARAGRAPHS.split("\n\n"))
