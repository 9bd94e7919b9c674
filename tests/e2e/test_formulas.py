"""Formulas in a line of text: a long one scrolls by itself, and the page never does."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.visits import NARROWEST, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
MATRIX = rf"\begin{{pmatrix}}{'&'.join('abcdefghijklmn')}\end{{pmatrix}}"
WORDS = r"\text{the quick brown fox jumps over the lazy dog again and again}"
SPACES = r"\hspace{6em}\hspace{6em}\hspace{6em}\hspace{6em}x"
LONG = (MATRIX, WORDS, SPACES)
ANSWER = "\n\n".join(
    f"""A long one, ${tex}$, in a sentence.

- in a list ${tex}$ of things
  - and deeper ${tex}$

> in a quotation ${tex}$

| where | what |
|---|---|
| in a cell | ${tex}$ |
"""
    for tex in LONG
)
PLACES = 5 * len(LONG)
SUM = "+".join(f"a_{{{number}}}" for number in range(1, 30))
SHORT = rf"It is $x = \frac{{a}}{{b}}$, and ${SUM}$ has many places to break."
# Each formula: whether it can be scrolled to its end, and whether it is on the screen from its beginning to its edge.
FORMULAS = """prose => [...prose.querySelectorAll(".formula")].map(formula => {
  formula.scrollIntoView()
  const { left, right } = formula.getBoundingClientRect()
  formula.scrollLeft = 10_000
  const ends = [...formula.querySelectorAll(".katex-base")].map(part => part.getBoundingClientRect().right)
  return [formula.scrollLeft > 0 && Math.max(...ends) <= right + 1, left >= 0 && right <= innerWidth]
})"""
WIDTHS = """() => [document.documentElement, document.querySelector("[data-thread]")]
  .map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)"""

pytestmark = pytest.mark.browser


def formulas(chat: Chat) -> list[Any]:
    found: list[Any] = chat.prose.evaluate(FORMULAS)
    return found


@pytest.mark.parametrize("direction", ["from left to right", "from right to left"])
def test_a_long_one_scrolls_by_itself_wherever_it_stands(
    visits: Visits, script: ScriptedUpstream, direction: str
) -> None:
    answer = ANSWER if direction == "from left to right" else ANSWER.replace("in a", "في").replace("A long", "طويل")
    script.script(Answer(answer, thinking=f"Let me think of ${MATRIX}$."))
    chat = Chat(visits.open("/", viewport=NARROWEST), say)
    chat.ask("Formulas, please.")
    for _ in ("streamed", "stored"):
        expect(chat.prose.locator(".katex")).to_have_count(PLACES)
        wait_until(lambda: formulas(chat) == [[True, True]] * PLACES)  # once the fonts have come
        chat.answer.locator("summary").click()
        thought = chat.answer.locator("[data-slot=reasoning] .formula")
        expect(thought).to_have_class("formula formula--long")
        assert chat.page.evaluate(WIDTHS) == [0, 0]
        chat.page.reload()


def test_a_long_one_is_scrolled_by_keyboard(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(f"A long one, ${WORDS}$, in a sentence."))
    chat = Chat(visits.open("/", viewport=NARROWEST), say)
    chat.ask("A formula, please.")
    formula = chat.prose.locator(".formula--long")
    formula.focus()
    chat.page.keyboard.press("ArrowRight")
    wait_until(lambda: formula.evaluate("element => element.scrollLeft") > 0)


def test_what_has_places_to_break_is_broken_there(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(SHORT))
    chat = Chat(visits.open("/", viewport=NARROWEST), say)
    chat.ask("Short ones, please.")
    expect(chat.prose.locator(".katex")).to_have_count(2)
    expect(chat.prose.locator(".formula--long")).to_have_count(0)
    lines = "formula => new Set([...formula.querySelectorAll('.katex-base')].map(part => part.offsetTop)).size"
    wait_until(lambda: chat.prose.locator(".formula").last.evaluate(lines) > 2)
    assert chat.page.evaluate(WIDTHS) == [0, 0]


def test_an_arrow_over_a_letter_is_seen(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(r"The arrow $\vec{v}$."))
    chat = Chat(visits.open("/"), say)
    chat.ask("Point.")
    arrow = chat.prose.locator(".katex svg")
    arrow.wait_for(state="attached")
    wait_until(lambda: arrow.evaluate("arrow => arrow.getBoundingClientRect().width") > 3)
