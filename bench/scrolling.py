"""A conversation of 1,000 messages and a list of 10,000 conversations: opened, and scrolled through."""

from collections.abc import Iterator
from datetime import timedelta
from statistics import median

from playwright.sync_api import Page

from bench.browsing import FORGET, FRAME, Bench, heap
from bench.report import Figure
from tests.e2e import written

OPENINGS = 5
MESSAGES, HIT = 1_000, 101
CONVERSATIONS = 10_000
WHEEL, WHEELS, WHEEL_PAUSE = 600, 150, 40  # pixels, times, milliseconds
LAST = "And that was the last of it."

# From the last byte of what is stored, be it inside the page, until an answer with these words is on the screen.
OPENED = """words => new Promise(resolve => {
  const [page] = performance.getEntriesByType("navigation")
  const came = () => Math.max(page.responseEnd, ...performance.getEntriesByType("resource")
    .filter(({name}) => /api.conversations.\\w{26}$/.test(name)).map(({responseEnd}) => responseEnd))
  const isSeen = ({top, bottom}) => bottom > 0 && top <= innerHeight
  const look = () => {
    const shown = [...document.querySelectorAll(".message--answer")].findLast(each => each.textContent.includes(words))
    if (!shown || !isSeen(shown.getBoundingClientRect())) return requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - came())))
  }
  look()
})"""
FOLLOW = """path => {
  const link = Object.assign(document.createElement("a"), {href: path})
  document.querySelector("[data-hits]").append(link)
  link.click()
  link.remove()
}"""
ALL_DRAWN = f"() => document.querySelectorAll('[data-messages] > *').length === {MESSAGES}"
LIST = "document.querySelector('[data-recent]')"
IS_AT_END = f"""() => {LIST}.querySelector(":scope > [data-list-more]").hidden
  && {LIST}.scrollTop + {LIST}.clientHeight >= {LIST}.scrollHeight - 1"""
ENTRIES = f"() => {LIST}.querySelectorAll('[data-conversation]').length"


def long_conversation(bench: Bench) -> Iterator[Figure]:
    texts = [
        answer(at) if at % 2 else f"What about the {at}th of them? Tell me more, please." for at in range(MESSAGES)
    ]
    conversation, messages = written.converse(bench.site, "Long", [*texts[:-1], LAST])
    end, hit = f"/c/{conversation}", f"/c/{conversation}#message={messages[HIT]}"
    page, times = _opened(bench, end, LAST)
    yield Figure(
        f"{MESSAGES:,} messages until the last is on the screen, after the reply, median", median(times), "ms", 300
    )
    yield from _scrolled(bench, page)
    yield Figure("heap with it", heap(page), "MB")
    page.context.close()
    yield from _scrolled_at_once(bench, end)
    again = _reloaded(bench, end, LAST)
    yield Figure(
        "until the last is on the screen when the page itself is loaded again, median", median(again), "ms", 300
    )
    far, times = _opened(bench, hit, f"and {HIT} is a good number")
    yield Figure(f"until number {HIT} is, where a search leads there, median", median(times), "ms", 300)
    yield Figure(
        "the longest task of its opening, and of drawing the others", max(_notes(far, "long"), default=0), "ms"
    )
    far.context.close()
    written.forget(bench.site, conversation)


def _opened(bench: Bench, path: str, words: str) -> tuple[Page, list[float]]:
    """Some times; gives the last of the pages, with all of it drawn."""
    times = []
    page = bench.visit()
    for at in range(OPENINGS):
        if at:
            page.context.close()
            page = bench.visit()
        page.goto("/", wait_until="networkidle")
        page.evaluate(FOLLOW, path)
        times.append(float(page.evaluate(OPENED, words)))
        page.wait_for_load_state("networkidle")
    while not page.evaluate(ALL_DRAWN):
        page.wait_for_timeout(200)
    page.wait_for_load_state("networkidle")
    return page, times


def _reloaded(bench: Bench, path: str, words: str) -> list[float]:
    """Some times."""
    times, page = [], bench.visit()
    page.goto(path, wait_until="networkidle")
    for _ in range(OPENINGS):
        page.reload(wait_until="commit")
        times.append(float(page.evaluate(OPENED, words)))
        page.wait_for_load_state("networkidle")
    page.context.close()
    return times


def _scrolled(bench: Bench, page: Page, when: str = "") -> Iterator[Figure]:
    page.evaluate(FORGET)
    page.mouse.move(bench.size["width"] / 2, 400)
    for step in range(WHEELS):
        page.mouse.wheel(0, -WHEEL if step < WHEELS * 2 / 3 else WHEEL)
        page.wait_for_timeout(WHEEL_PAUSE)
    yield from _frames(page, f"it is scrolled{when} by {WHEEL * WHEELS * 2 // 3:,} pixels and half back")


def _scrolled_at_once(bench: Bench, path: str) -> Iterator[Figure]:
    """By somebody who does not wait until what is further up has been drawn."""
    page = bench.visit()
    page.goto("/", wait_until="networkidle")
    page.evaluate(FOLLOW, path)
    page.evaluate(OPENED, LAST)
    yield from _scrolled(bench, page, ", as soon as it is open,")
    page.context.close()


def _frames(page: Page, what: str) -> Iterator[Figure]:
    frames, slow = _notes(page, "frames"), _notes(page, "slow")
    yield Figure(f"frames while {what}", len(frames), "")
    yield Figure("of them over 50 ms from one to the next", sum(each > FRAME for each in frames), "", 0)
    yield Figure("the slowest", max(frames), "ms")
    yield Figure("of them over 50 ms of the page's own (long animation frames)", sum(each > FRAME for each in slow), "")


def _notes(page: Page, name: str) -> list[float]:
    return [float(each) for each in page.evaluate(f"() => notes.{name}")]


def long_list(bench: Bench) -> Iterator[Figure]:
    titles = [f"The {at}th conversation of many, about something" for at in range(CONVERSATIONS)]
    written.leave_only(bench.site, *titles, apart=timedelta(hours=2))
    page = bench.visit()
    page.goto("/", wait_until="networkidle")
    bench.open_list(page)
    page.wait_for_timeout(500)
    page.evaluate(FORGET)
    page.mouse.move(120, 400)
    most = 0
    while not page.evaluate(IS_AT_END):
        for _ in range(10):
            page.mouse.wheel(0, WHEEL)
            page.wait_for_timeout(WHEEL_PAUSE)
        most = max(most, page.evaluate(ENTRIES))
    yield from _frames(page, f"the list of {CONVERSATIONS:,} conversations is scrolled to its end")
    yield Figure("entries in the page at once, at most", most, "", 200)
    yield Figure("heap with it", heap(page), "MB")
    page.context.close()
    written.leave_only(bench.site)


def answer(at: int) -> str:
    return "\n\n".join(_paragraphs(at))


def _paragraphs(at: int) -> Iterator[str]:
    """Of an answer; what follows the sentence differs from one to the next."""
    yield f"That is a **good question**, and `{at}` is a good number: neither the first nor the last."
    yield {
        0: "- one thing\n- and another, with *weight*\n- and a [link](https://example.org)",
        1: "```python\nfor number in range(10):\n    print(number, number ** 2)\n```",
        2: "| what | how many |\n|---|--:|\n| apples | 12 |\n| pears | 7 |",
        3: "So $a^2 + b^2 = c^2$, as has been known for long.",
        4: "众所周知，水在一百度沸腾。高山上却不是这样，因为气压低了。",
    }[at // 2 % 5]
