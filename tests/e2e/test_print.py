"""A conversation on paper: all that was said, in dark ink, and nothing that can be pressed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e import written
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.test_long_conversation import HOLD
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
LONG = "\n\n".join(f"Paragraph {number} of what is to be printed." for number in range(80))
CODE = f"```python\nprint('{'wide ' * 60}')\n```"
LINK = "[the paper](https://example.org/paper)"
SHEET: ViewportSize = {"width": 794, "height": 1123}  # A4 at 96 dots an inch
NARROW: ViewportSize = {"width": 390, "height": 844}
SUM = " + ".join(rf"\frac{{a_{{{number}}}}}{{b_{{{number}}}}}" for number in range(1, 40))
PART = rf"\sqrt{{{'+'.join(f'c_{{{number}}}' for number in range(1, 40))}}}"
WIDE_THINGS = {
    "en": "| A heading of several words | Second | Third | Fourth | Fifth | Sixth |\n|---|---|---|---|---|---|\n"
    "| Something longer that is said about it | internationalization | 3.14 | yes | no | `a_name_in_code` |",
    "zh": "| 一个比较长的表头说明文字 | 第二列 | 第三列 | 第四列 | 第五列 | 第六列 |\n|---|---|---|---|---|---|\n"
    "| 对它的一段比较长的说明文字 | internationalization | 3.14 | 是 | 否 | `a_name_in_code` |",
}
# How far what is in a table or a formula stands out of its text, in pixels; and how many such things there are.
STANDS_OUT = """prose => {
  const [{ left, right }, parts] = [prose.getBoundingClientRect(), [...prose.querySelectorAll("th, td, .katex-base")]]
  const boxes = parts.map(part => {
    const range = document.createRange()
    range.selectNodeContents(part)
    return range.getBoundingClientRect()
  })
  const out = boxes.map(box => Math.max(left - box.left, box.right - right))
  return { most: Math.max(...out), count: parts.length }
}"""
CUT = """prose => [...prose.querySelectorAll(".table-scroll, .formula")]
  .filter(({ scrollWidth, clientWidth }) => clientWidth && scrollWidth > clientWidth + 1).length"""

# What of a conversation is on the paper, as it stands once all others have been told that it is printed.
PRINTED = """() => {
  const look = () => {
    const formulas = [...document.querySelectorAll("[data-tex]")]
    window.printed = {
      formulas: formulas.filter((formula) => formula.querySelector(".katex")).length,
      measured: formulas.filter((formula) => formula.style.getPropertyValue("--widest") > 1).length,
      coloured: document.querySelectorAll(".prose code:has(.hljs-number)").length,
      code: document.querySelectorAll(".prose pre code").length,
    }
  }
  addEventListener("beforeprint", look)
  window.print = () => dispatchEvent(new Event("beforeprint"))
}"""
WHOLE = {"formulas": 40, "measured": 40, "coloured": 40, "code": 40}

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


@pytest.mark.parametrize("sheet", [SHEET, NARROW], ids=["A4", "phone"])
@pytest.mark.parametrize("locale", ["en", "zh"])
def test_no_column_and_no_part_of_a_formula_is_lost(
    visits: Visits, script: ScriptedUpstream, announcement: str, locale: str, sheet: ViewportSize
) -> None:
    line = f"In a line ${PART}$ too."
    script.script(Answer(f"{WIDE_THINGS[locale]}\n\n$${SUM}$$\n\n$${PART}$$\n\n{line}"))
    chat = Chat(visits.open("/", locale=locale), words(locale))
    notice = chat.page.get_by_text(announcement)
    expect(notice).to_be_visible()
    chat.ask("Print me.")
    expect(chat.prose.locator(".katex")).to_have_count(3)
    chat.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    chat.page.emulate_media(media="print")
    chat.page.set_viewport_size(sheet)
    wait_until(lambda: chat.prose.evaluate(STANDS_OUT)["most"] < 1)  # once it is laid out anew
    assert chat.prose.evaluate(STANDS_OUT)["count"] > 12 + 3, "the table's twelve cells, and the parts of the formulas"
    assert chat.prose.evaluate(CUT) == 0
    expect(notice).to_be_hidden()


@pytest.fixture
def long(site: Site) -> Iterator[str]:
    """The path of a conversation with a formula and code in each answer, most of them beyond what is drawn at once."""
    answer = "A sum: $a^2 + b^2 + c^2$.\n\n```python\nx = 1\n```"
    made, _ = written.converse(site, "Sums", ["And then?" if at % 2 == 0 else answer for at in range(80)])
    yield f"/c/{made}"
    written.forget(site, made)


def test_whoever_prints_by_the_keyboard_has_earlier_formulas_set(long: str, visits: Visits) -> None:
    page = visits.open("/")
    page.add_init_script(HOLD)
    page.goto(long)
    page.locator(".katex").first.wait_for()
    page.locator(".hljs-number").first.wait_for()
    assert 0 < page.locator(".prose pre").count() < WHOLE["code"], "the others are drawn later"
    page.evaluate(PRINTED)
    page.pdf()
    assert page.evaluate("window.printed") == WHOLE


def test_the_dialogs_button_waits_until_all_is_drawn(long: str, look: Look, visits: Visits) -> None:
    page = look.open(visits, "/")
    page.add_init_script(HOLD)
    libraries = Held(page, re.compile(r"/(katex|highlight)\.js"))
    page.goto(long)
    libraries.wait(2)
    page.evaluate(PRINTED)
    page.keyboard.press("Control+k")
    page.keyboard.type(look.say("portability.export"))
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text(look.say("portability.export"))
    page.keyboard.press("Enter")
    dialog = page.locator("#export-dialog")
    expect(dialog).to_be_visible()
    look.expect_no_fault(page)
    dialog.get_by_role("button", name=look.say("portability.print")).click()
    expect(dialog).to_be_hidden()
    page.wait_for_timeout(300)
    assert page.evaluate("window.printed?.formulas ?? 0") == 0, "they cannot be set yet"
    libraries.let_go()
    wait_until(lambda: page.evaluate("window.printed.formulas") > 0)
    assert page.evaluate("window.printed") == WHOLE
