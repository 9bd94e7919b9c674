"""One long block as it comes: what stands there stays, and at the end it is what a reload shows."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream, pieces

say = words("en")
FUNCTION = 'def number_{at}(value):\n    """Says <b>{at}</b> & more."""\n\n    return value * {at}  # `{at}`\n\n\n'
FILE = "".join(FUNCTION.format(at=at) for at in range(120))
CODE = f"Here it is:\n\n```python\n{FILE}```\n\nThat was *all* of it."
DEFINED = "[guide]: https://example.org/guide\n[1]: https://example.org/1\n"
REFERRING = f"""Read [the guide][guide] first.

```python
{FILE[:1_000]}
```

Nothing but words.

- one of two, see [there][1]
- the other

| a | b |
|---|---|
| 1 | $x^2$ |

And the last words.

"""
ITEMS = "".join(f"{at}. The **{at}th** thing is `number_{at}`, $x^{at}$ and more\n" for at in range(1, 201))
LOOSE = "".join(f"- The *{at}th* thing\n\n  is said [here](https://example.org/{at})\n\n" for at in range(1, 121))
ROWS = "| what | how | many |\n|---|:-:|--:|\n" + "".join(f"| thing **{at}** | `so` | {at} |\n" for at in range(1, 201))
LENGTHY = {
    "a list": (ITEMS, "li"),
    "a list with paragraphs": (LOOSE, "li"),
    "a list that comes to have paragraphs": (ITEMS + "\n" + ITEMS, "li"),
    "a table": (ROWS, "tr"),
}
PROSE = "[...document.querySelectorAll('.message--answer .prose[data-slot=text]')].at(-1)"
# What is drawn of the newest answer, block by block.
DRAWN = f"""() => [...{PROSE}.children].flatMap((each) => each.matches(".prose__group") ? [...each.children] : each)
  .map((each) => each.outerHTML)"""
# The first words of some code.
MARK = """code => {
  let first = code
  while (first.firstChild) first = first.firstChild
  getSelection().setBaseAndExtent(first, 0, first, 3)
}"""
# Frame by frame: how often colours that were there had gone, how often another figure stood there, and how many
# characters were put into the page, all told. A figure without code stands for a first line that may go on.
WATCH = f"""() => {{
  window.seen = {{ gone: 0, others: 0, put: 0, spans: 0, most: 0 }}
  let figure = null
  const length = (nodes) => [...nodes].reduce((sum, node) => sum + node.textContent.length, 0)
  const note = (records) => {{ for (const {{ addedNodes }} of records) seen.put += length(addedNodes) }}
  const look = () => {{
    const drawn = {PROSE}?.querySelector("figure")
    const now = drawn?.querySelector("code").textContent ? drawn : null
    if (now && !figure) new MutationObserver(note).observe(now, {{ subtree: true, childList: true }})
    if (figure && now !== figure) seen.others++
    const spans = now?.querySelectorAll("[class^=hljs]").length ?? 0
    if (spans < seen.most / 2) seen.gone++
    seen.most = Math.max(seen.most, spans)
    figure = now
    requestAnimationFrame(look)
  }}
  look()
}}"""

pytestmark = pytest.mark.browser


def tokens_of(text: str) -> int:
    return len(list(pieces(text)))


def expect_the_same_after_a_reload(chat: Chat) -> None:
    drawn = chat.page.evaluate(DRAWN)
    chat.page.reload()
    expect(chat.prose).to_be_visible()
    wait_until(lambda: chat.page.evaluate(DRAWN) == drawn)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_long_code_keeps_its_colours_while_it_comes(visits: Visits, script: ScriptedUpstream, viewport: Any) -> None:
    gate = Gate(tokens_of(CODE[:6_500]))
    script.script(Answer(CODE, tokens_per_second=1_000, gate=gate))
    chat = Chat(visits.open("/", viewport=viewport), say)
    chat.page.evaluate(WATCH)
    chat.send("The whole file, please.")
    code = chat.prose.locator("code")
    wait_until(lambda: len(code.text_content() or "") > 6_400)
    coloured = "code => [...code.querySelectorAll('.hljs-number')].at(-1)?.textContent ?? 0"
    wait_until(lambda: int(code.evaluate(coloured)) > 50)
    assert chat.stop_button.is_visible(), "not only at its end"
    mark(chat.page, f"{PROSE}.querySelector('code')")
    assert chat.page.evaluate("String(getSelection())").strip() == (code.text_content() or "").strip(), "line by line"
    chat.page.evaluate("getSelection().removeAllRanges()")
    height = code.evaluate("code => code.closest('figure').offsetHeight / code.textContent.split('\\n').length")
    gate.open()
    chat.wait_until_answered()
    wait_until(lambda: int(code.evaluate(coloured)) == 119)
    assert code.text_content() == FILE
    after = code.evaluate("code => code.closest('figure').offsetHeight / code.textContent.split('\\n').length")
    assert after == pytest.approx(height, rel=0.02), "its parts are no higher than the whole"
    seen = chat.page.evaluate("window.seen")
    assert seen["most"] > 300
    assert (seen["gone"], seen["others"]) == (0, 0)
    expect_the_same_after_a_reload(chat)


@pytest.mark.parametrize("language", ["", "python"])
def test_what_is_done_for_code_is_in_proportion_to_it(visits: Visits, script: ScriptedUpstream, language: str) -> None:
    text = FILE * 4
    script.script(Answer(f"```{language}\n{text}", tokens_per_second=4_000))
    chat = Chat(visits.open("/"), say)
    chat.page.evaluate(WATCH)
    chat.ask("The whole of it.")
    assert chat.prose.locator("code").text_content() == text
    assert chat.prose.locator("code *").count() == 0, "beyond the limit it has no colours, and stands in one piece"
    seen = chat.page.evaluate("window.seen")
    assert seen["others"] == 0
    assert len(text) < seen["put"] < (10 if language else 2.1) * len(text)
    expect_the_same_after_a_reload(chat)


def test_what_went_wrong_is_said_below_an_answer_with_code(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer("```python\nx = 1\n```\n\nAnd then", finish_reason="length"))
    chat = Chat(visits.open("/"), say)
    chat.ask("Code?")
    expect(chat.answer.locator(".message__problem")).to_be_visible()
    expect(chat.prose.locator("[data-slot=problem]")).to_be_hidden()


@pytest.mark.parametrize("language", ["", "python"])
def test_what_is_marked_in_code_stays_marked_when_the_answer_ends(
    visits: Visits, script: ScriptedUpstream, language: str
) -> None:
    gate = Gate(tokens_of(FILE[:5_000]))
    script.script(Answer(f"```{language}\n{FILE}```\n\nThe end.", gate=gate))
    chat = Chat(visits.open("/"), say)
    chat.send("The whole file, please.")
    code = chat.prose.locator("code")
    wait_until(lambda: len(code.text_content() or "") > 4_900)
    code.evaluate(MARK)
    marked = chat.page.evaluate("String(getSelection())")
    assert marked
    gate.open()
    chat.wait_until_answered()
    chat.page.wait_for_timeout(500)
    assert chat.page.evaluate("String(getSelection())") == marked
    assert code.text_content() == FILE
    chat.page.evaluate("getSelection().removeAllRanges()")
    expect(code.locator(".code__part")).to_have_count(0)
    expect_the_same_after_a_reload(chat)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_link_that_is_defined_at_the_end_changes_its_own_block_alone(
    visits: Visits, script: ScriptedUpstream, viewport: Any
) -> None:
    gate = Gate(tokens_of(REFERRING))  # or with the beginning of the definitions
    script.script(Answer(REFERRING + DEFINED, gate=gate))
    chat = Chat(visits.open("/", viewport=viewport), say)
    chat.send("What shall I read?")
    expect(chat.prose.locator(".katex")).to_be_visible()
    expect(chat.prose.locator(".hljs-number").first).to_be_visible()
    expect(chat.prose.locator("a")).to_have_count(0)
    mark(chat.page, f"{PROSE}.querySelector('.hljs-keyword')")
    before = chat.page.evaluate(f"() => (window.blocks = [...{PROSE}.children]).map((each) => each.offsetTop)")
    chat.page.evaluate(f"window.coloured = {PROSE}.querySelector('.hljs-number')")
    gate.open()
    chat.wait_until_answered()
    expect(chat.prose.locator("a")).to_have_text(["the guide", "there"])
    stay = f"() => [...{PROSE}.children].map((each, at) => each === window.blocks[at])"
    assert chat.page.evaluate(stay) == [False, True, True, False, True, True]
    assert chat.page.evaluate("window.coloured.isConnected"), "and its colours are not made anew"
    assert chat.page.evaluate(f"() => [...{PROSE}.children].map((each) => each.offsetTop)") == before[:6]
    assert chat.page.evaluate("String(getSelection())") == "def"
    expect_the_same_after_a_reload(chat)


# How many items or rows are put into the page from now on.
COUNT = f"""part => {{
  window.put = 0
  const parts = (nodes) => [...nodes].reduce((sum, node) => sum + (node.matches?.(part) ? 1 : 0) +
    (node.querySelectorAll?.(part).length ?? 0), 0)
  new MutationObserver((records) => {{ for (const {{ addedNodes }} of records) window.put += parts(addedNodes) }})
    .observe({PROSE}, {{ subtree: true, childList: true }})
}}"""


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("kind", LENGTHY)
def test_parts_of_a_long_list_or_table_stay_while_it_grows(
    visits: Visits, script: ScriptedUpstream, kind: str, viewport: Any
) -> None:
    text, part = LENGTHY[kind]
    begin, middle = tokens_of("Here:\n\n" + text[:500]), tokens_of("Here:\n\n" + text[:6_000])
    gate = Gate(begin, middle)
    script.script(Answer(f"Here:\n\n{text}\nThat was **all**.", tokens_per_second=1_500, gate=gate))
    chat = Chat(visits.open("/", viewport=viewport), say)
    chat.send("All of them, please.")
    expect(chat.prose.locator(part).nth(3)).to_be_attached()
    chat.page.evaluate(COUNT, part)
    gate.let_go()
    expect(chat.prose.locator(part).nth(90)).to_be_attached()
    chat.page.wait_for_timeout(500)
    mark(chat.page, f"{PROSE}.querySelectorAll('{part}')[3]")
    marked = chat.page.evaluate("String(getSelection())")
    gate.open()
    chat.wait_until_answered()
    expect(chat.prose).to_contain_text("That was all.")
    if "comes to" not in kind:
        assert chat.page.evaluate("String(getSelection())") == marked, "what is marked stays so"
        count = chat.prose.locator(part).count()
        assert count > 100
        assert chat.page.evaluate("window.put") < 20 * count, "not all of them again with each piece"
    wait_until(lambda: not chat.prose.locator(".formula:not(:has(*))").count())
    expect_the_same_after_a_reload(chat)


def mark(page: Page, element: str) -> None:
    page.evaluate(f"getSelection().selectAllChildren({element})")
