"""Arabic and Hebrew in messages: each text goes its own way, code and formulas from left to right."""

from typing import Any

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.clipboard import copied
from tests.e2e.visits import AT_REST, PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
QUESTION = "كيف أجمع رقمين؟\nIn Python, please."
ANSWER = """\
# جمع رقمين

`sum` دالة تجمع الأرقام، و $a+b$ صيغة، وهذا [رابط](https://example.org/a).

In English, a sentence.

- عنصر أول
- An English item.
  - متداخل
  - `x = 1`

1. واحد

> اقتباس من كتاب

| الاسم | العدد |
|---|---:|
| GPT-4 (new). | 12 |

```python
# تعليق
x = 1
```

$$a^2+b^2=c^2$$

שלום לכולם.
"""
DIRECTION = "element => getComputedStyle(element).direction"
DIRECTIONS = """prose => [
  ...prose.querySelectorAll("h3, p, ul, ol, li, blockquote, .table-scroll, table, th, td, pre, code, .formula"),
].map(part => [part.localName, part.textContent.trim().slice(0, 5), getComputedStyle(part).direction])"""
# How far a text is from the left and from the right edge of the room that it has.
DISTANCES = """element => {
  const range = document.createRange()
  range.selectNodeContents(element.querySelector("ul") ? element.firstChild : element)
  const line = range.getBoundingClientRect()
  const room = element.closest("th, td, pre, .prose, .chat__title").getBoundingClientRect()
  return [line.left - room.left, room.right - line.right]
}"""
EDGES = """element => {
  const { paddingLeft, paddingRight, borderLeftWidth, borderRightWidth } = getComputedStyle(element)
  return [paddingLeft, paddingRight, borderLeftWidth, borderRightWidth].map(parseFloat)
}"""

pytestmark = pytest.mark.browser


def direction(element: Locator) -> str:
    found: str = element.evaluate(DIRECTION)
    return found


def side(element: Locator) -> str:
    """Where a text of one line begins."""
    left, right = element.evaluate(DISTANCES)
    assert abs(left - right) > 20, "it must be at one of the sides"
    return "left" if left < right else "right"


def expect_directions(prose: Locator) -> None:
    found: list[Any] = prose.evaluate(DIRECTIONS)
    english = [(name, begins) for name, begins, direction in found if direction == "ltr"]
    assert {name for name, _ in english} == {"p", "pre", "code", "span"}, english
    assert [begins for name, begins in english if name == "p"] == ["In En", "a2+b2"]
    arabic = {name for name, _, direction in found if direction == "rtl"}
    assert arabic == {"h3", "p", "ul", "ol", "li", "blockquote", "div", "table", "th", "td"}


def expect_sides(prose: Locator) -> None:
    for text in ("جمع رقمين", "عنصر أول", "متداخل", "واحد", "اقتباس من كتاب", "الاسم", "שלום לכולם."):
        assert side(prose.get_by_text(text).last) == "right", text
    for text in ("An English item.", "GPT-4 (new)."):
        assert side(prose.get_by_text(text).last) == "right", f"{text}: with its list, with its column"
    for text in ("In English, a sentence.", "العدد", "12"):
        assert side(prose.get_by_text(text).last) == "left", text
    assert side(prose.locator("pre code")) == "left"
    full_stop, before = prose.get_by_text("GPT-4 (new).").evaluate(
        """({ firstChild: text }) => [11, 10].map((at) => {
          const range = document.createRange()
          range.setStart(text, at)
          range.setEnd(text, at + 1)
          return range.getBoundingClientRect().left
        })"""
    )
    assert full_stop > before, "an English sentence ends at its right in an Arabic table too"
    for part in ("ul", "ol"):
        left, right, *_ = prose.locator(part).first.evaluate(EDGES)
        assert left == 0 < right, "the bullets stand at the right"
    *_, left, right = prose.locator("blockquote").evaluate(EDGES)
    assert left == 0 < right, "the bar stands at the right"


def ask(visits: Visits, script: ScriptedUpstream, viewport: ViewportSize = WIDE) -> Chat:
    script.script(Answer(ANSWER))
    chat = Chat(visits.open("/", viewport=viewport), say)
    chat.ask(QUESTION)
    expect(chat.prose.locator(".katex")).to_have_count(2)
    return chat


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_each_block_goes_its_own_way_streamed_stored_and_printed(
    visits: Visits, script: ScriptedUpstream, viewport: ViewportSize
) -> None:
    chat = ask(visits, script, viewport)
    for at_last in ("streamed", "stored", "printed"):
        expect_directions(chat.prose)
        expect_sides(chat.prose)
        if at_last == "streamed":
            for scheme in ("light", "dark"):
                chat.page.emulate_media(color_scheme=scheme)
                chat.page.evaluate(AT_REST)
                expect_no_violation(chat.page, scheme)
            chat.page.reload()
            expect(chat.prose.locator(".katex")).to_have_count(2)
        else:
            chat.page.emulate_media(media="print")


def test_an_answer_goes_its_way_while_it_grows(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(f"- عنصر أول\n- {'كلمة ' * 200}", gate=Gate(20)))
    chat = Chat(visits.open("/"), say)
    chat.send("قائمة من فضلك")
    expect(chat.prose).to_contain_text("كلمة كلمة")
    # Found and measured in one go: it is drawn anew all the time.
    assert chat.prose.evaluate(f"prose => ({DIRECTION})(prose.querySelector('li'))") == "rtl"
    left, right = chat.prose.evaluate(f"prose => ({DISTANCES})(prose.querySelector('li'))")
    assert left > right + 20
    assert chat.stop_button.is_visible(), "not only at its end"
    chat.stop_button.click()
    chat.wait_until_answered()


def test_code_and_formulas_at_the_beginning_do_not_decide(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer("`useState` خطاف\n\n$E=mc^2$ معادلة\n\n`سلام` is Arabic\n"))
    chat = Chat(visits.open("/"), say)
    chat.ask("What decides?")
    assert [direction(each) for each in chat.prose.locator("p").all()] == ["rtl", "rtl", "ltr"]
    assert {direction(each) for each in chat.prose.locator("code").all()} == {"ltr"}


def test_a_line_without_end_is_laid_out_as_quickly_as_ever(visits: Visits, script: ScriptedUpstream) -> None:
    """What lets each line go its own way takes long: it is for messages with letters from the right."""
    script.script(Answer(f"- {'x' * 1000}\n- y"))
    chat = Chat(visits.open("/"), say)
    chat.ask("x" * 1000)
    for text in (chat.questions.last, chat.prose.locator("li").first):
        assert text.evaluate("text => getComputedStyle(text).unicodeBidi") != "plaintext"


def test_a_question_goes_line_by_line_as_it_was_typed(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer("نعم"))
    chat = Chat(visits.open("/"), say)
    chat.text.fill("مرحبا")
    assert direction(chat.text) == "rtl"
    chat.text.fill("hello")
    assert direction(chat.text) == "ltr"
    chat.ask(QUESTION)
    asked = chat.questions.last
    assert direction(asked) == "rtl"
    assert asked.evaluate("question => getComputedStyle(question).unicodeBidi") == "plaintext"
    chat.page.get_by_role("button", name=say("chat.edit"), exact=True).click()
    assert direction(chat.page.locator(".editor textarea")) == "rtl"


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_titles_go_their_way_and_stay_in_their_place(
    visits: Visits, script: ScriptedUpstream, viewport: ViewportSize
) -> None:
    chat = ask(visits, script, viewport)
    title = chat.page.locator("[data-title]")
    entry = chat.list.locator(f"a[href='/c/{chat.conversation_id}'] [data-slot=title]")
    assert direction(title) == direction(entry) == "rtl"
    left, right = title.evaluate(DISTANCES)
    assert left < 2 or abs(left - right) < 2, "where the others stand: at the left, on a phone in the middle"
    chat.page.evaluate("document.querySelector('[data-title]').textContent = 'A name'")
    assert direction(title) == "ltr"


def test_what_is_copied_has_nothing_of_it(visits: Visits, script: ScriptedUpstream) -> None:
    chat = ask(visits, script)
    assert chat.copied_answer() == ANSWER
    chat.answer.get_by_role("button", name=say("chat.answer_menu")).click()
    plain = copied(chat.page, chat.page.get_by_role("button", name=say("chat.copy_plain")).click)
    assert plain.startswith("جمع رقمين\n\nsum دالة تجمع الأرقام، و $a+b$ صيغة، وهذا رابط.\n\nIn English")
    assert not set(plain) & set("\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
