"""An answer as it comes: its signs are what they will be, its code has colours, and nothing that stands there moves."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
ROW = " | ".join(f"a cell with words {number}" for number in range(30))
TABLE = f"| {ROW} |\n|{'---|' * 30}\n| {ROW} |"
CODE = "```python\ndef greet(name):\n    return name\n```"
BEFORE = "\n\n".join(f"Paragraph {at} of what is before it, for a line or two of a phone." for at in range(8))
FORMULA = f"{BEFORE}\n\n$$\\sum_{{i=1}}^n \\frac{{a_i}}{{b_i}}$$\n\n" + "\n".join(f"- item {at}" for at in range(8))
LONG = "\n\n".join([*(f"## Part {at}\n\nSome **weight** and `code`.\n\n- one\n- two" for at in range(4)), CODE, TABLE])
PART = f"Text\n\n{CODE}\n\n- one\n- two\n\n> quoted\n>\n> ---\n\n- in it\n\n  ---\n\n---"
MANY = "\n\n".join(f"## Part {at}\n\n{PART}" for at in range(25))
# The blocks of the newest answer, in groups or not, with how far below its beginning each of them stands.
BLOCKS = """() => {
  const prose = [...document.querySelectorAll(".message--answer .prose[data-slot=text]")].at(-1)
  const blocks = [...prose.children].flatMap((each) => (each.matches(".prose__group") ? [...each.children] : each))
  return blocks.map((block) => [block.tagName, block.getBoundingClientRect().top - prose.getBoundingClientRect().top])
}"""
# Where each block of the newest answer stands within it, frame by frame: those that have moved, and those in whose
# place another element has come. The last one still grows.
WATCH = """() => {
  const tops = new Map()
  const places = []
  window.moved = []
  window.replaced = []
  window.watched = 0
  const look = () => {
    const prose = [...document.querySelectorAll(".message--answer .prose[data-slot=text]")].at(-1)
    const drawn = prose ? [...prose.children] : []
    const blocks = drawn.flatMap((each) => (each.matches(".prose__group") ? [...each.children] : each)).slice(0, -1)
    for (const block of blocks) {
      const top = block.offsetTop - prose.offsetTop
      const before = tops.get(block) ?? top
      if (before !== top) window.moved.push([block.outerHTML.slice(0, 80), before, top])
      tops.set(block, top)
    }
    for (const [at, block] of places.entries())
      if (blocks[at] !== block) window.replaced.push([at, block.outerHTML.slice(0, 80)])
    places.splice(0, Infinity, ...blocks)
    window.watched = Math.max(window.watched, blocks.length)
    requestAnimationFrame(look)
  }
  look()
}"""
# Each part of an answer that was seen to jump, by how much.
SHIFTS = """() => {
  window.shifts = []
  const inAnswer = ({ node }) => node && (node.parentElement ?? node).closest(".message--answer")
  new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries())
      for (const source of sources.filter(inAnswer)) {
        const by = source.currentRect.y - source.previousRect.y
        if (Math.abs(by) > 4) window.shifts.push([source.node.textContent.slice(0, 40), by])
      }
  }).observe({ type: "layout-shift" })
}"""
# What moves by itself for longer than the eye notices; what a scroll moves has another timeline.
MOVES = """() => document.getAnimations().filter(({ effect, timeline, playState }) =>
  timeline === document.timeline && playState === "running" && effect.getComputedTiming().activeDuration > 1).length"""

pytestmark = pytest.mark.browser
SIZES = pytest.mark.parametrize(
    ("viewport", "locale", "scheme"), [(WIDE, "en", "dark"), (PHONE, "zh", "light")], ids=["wide", "phone"]
)


@SIZES
def test_what_has_no_end_yet_is_shown_as_what_it_will_be(
    visits: Visits, script: ScriptedUpstream, viewport: Any, locale: str, scheme: Scheme
) -> None:
    gate = Gate(4, 12)
    script.script(Answer("It is **bold for a long while** and then a\n\n$$\nx^2\n$$", gate=gate))
    chat = Chat(visits.open("/", locale=locale, viewport=viewport, scheme=scheme), words(locale))
    chat.send("Bold?")
    expect(chat.prose.locator("strong")).to_contain_text("bold")
    expect(chat.prose).not_to_contain_text("*")
    expect_no_violation(chat.page)
    gate.open()
    chat.wait_until_answered()
    expect(chat.prose.locator("strong")).to_have_text("bold for a long while")
    expect(chat.prose.locator(".katex")).to_have_count(1)


@SIZES
def test_code_has_its_colours_while_it_comes(
    visits: Visits, script: ScriptedUpstream, viewport: Any, locale: str, scheme: Scheme
) -> None:
    gate = Gate(12)
    script.script(Answer(f"{CODE}\n\nThat was it. " + "And more. " * 20, gate=gate))
    chat = Chat(visits.open("/", locale=locale, viewport=viewport, scheme=scheme), words(locale))
    chat.send("Code?")
    expect(chat.prose.locator(".hljs-keyword").first).to_have_text("def")
    assert chat.stop_button.is_visible(), "not only at its end"
    expect_no_violation(chat.page)
    gate.open()
    chat.wait_until_answered()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_what_stands_there_does_not_move(visits: Visits, script: ScriptedUpstream, viewport: Any) -> None:
    script.script(Answer(LONG, tokens_per_second=200))
    page = visits.open("/", viewport=viewport)
    page.evaluate(WATCH)
    Chat(page, say).ask("At length.")
    assert page.evaluate("window.watched") >= 10
    assert page.evaluate("window.moved") == []
    assert page.evaluate("window.replaced") == [], "what is settled is drawn once"


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_long_answer_stands_as_it_will_when_it_is_read_again(
    visits: Visits, script: ScriptedUpstream, viewport: Any
) -> None:
    script.script(Answer(MANY, tokens_per_second=1_000))
    chat = Chat(visits.open("/", viewport=viewport), say)
    chat.page.evaluate(WATCH)
    chat.ask("At great length.")
    expect(chat.prose.locator(".hljs-keyword").last).to_be_attached()
    assert chat.prose.locator(".prose__group").count() >= 3, "what is laid out again at each word is little"
    assert chat.page.evaluate("[window.moved, window.replaced]") == [[], []]
    written = chat.page.evaluate(BLOCKS)
    assert [tag for tag, _ in written] == ["H3", "P", "FIGURE", "UL", "BLOCKQUOTE", "UL", "HR"] * 25
    chat.page.reload()
    expect(chat.prose.locator("hr")).to_have_count(75)
    assert chat.prose.locator(".prose__group").count() == 0
    assert chat.page.evaluate(BLOCKS) == [[tag, pytest.approx(top, abs=1)] for tag, top in written]


@pytest.mark.parametrize("before", ["", "Short.\n\n" * 40], ids=["first blocks", "in a group"])
@pytest.mark.parametrize("speed", [100, 0], ids=["by and by", "at once"])
def test_nothing_jumps_when_the_first_formula_is_set(
    visits: Visits, script: ScriptedUpstream, speed: int, before: str
) -> None:
    script.script(Answer(before + FORMULA, tokens_per_second=speed))
    page = visits.open("/", viewport=PHONE)
    page.evaluate(SHIFTS)
    chat = Chat(page, say)
    chat.ask("Add them up.")
    expect(chat.prose.locator(".katex")).to_be_visible()
    expect(chat.prose.locator("li").last).to_be_in_viewport()
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") == []


def test_what_follows_a_formula_does_not_wait_for_ever(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer(FORMULA))
    chat = Chat(visits.open("/", viewport=PHONE), say)
    held = Held(chat.page, "**/vendor/katex/*")
    chat.send("Add them up.")
    expect(chat.prose.locator("[data-display]")).to_be_visible()
    expect(chat.prose.locator("li").last).to_be_in_viewport()
    held.let_go()
    expect(chat.prose.locator(".katex")).to_be_visible()


@SIZES
def test_a_wide_table_scrolls_by_itself(
    visits: Visits, script: ScriptedUpstream, viewport: Any, locale: str, scheme: Scheme
) -> None:
    script.script(Answer(TABLE))
    chat = Chat(visits.open("/", locale=locale, viewport=viewport, scheme=scheme), words(locale))
    chat.ask("A table?")
    table = chat.prose.get_by_role("region", name=chat.say("js.table"))
    table.focus()
    chat.page.keyboard.press("ArrowRight")
    wait_until(lambda: table.evaluate("table => table.scrollLeft") > 0)
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    expect_no_violation(chat.page)


def moves(page: Page) -> bool:
    """Whether anything moves in the half second that follows."""
    for _ in range(20):
        page.wait_for_timeout(25)
        if page.evaluate(MOVES):
            return True
    return False


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_moves_for_whoever_wants_less_motion(visits: Visits, script: ScriptedUpstream, viewport: Any) -> None:
    script.script(Answer("word " * 200, thinking="Hm.", gate=Gate(3)))
    chat = Chat(visits.open("/", viewport=viewport), say)
    chat.page.emulate_media(reduced_motion="reduce")
    chat.send("Think.")
    chat.wait_for_words(1)
    assert not moves(chat.page)
    chat.page.emulate_media(reduced_motion="no-preference")
    assert moves(chat.page), "an answer that is being written moves for the others"
    chat.stop_button.click()
    chat.wait_until_answered()
