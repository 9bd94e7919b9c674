"""How quick the chat's page is in a browser: ``python -m bench.page`` (or ``make bench-page``).

Chromium on loopback, as a desk computer of this machine's speed: the first load of an empty chat, a conversation of
1,000 messages, an answer of 20,000 tokens as it comes, and keys pressed meanwhile. Status 1 where something takes
longer than it may.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.report import Figure, p95
from tests.e2e import written
from tests.e2e.chat import Chat
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.site import Site, opened
from tests.e2e.visits import WIDE
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream

VISITS, OPENINGS = 11, 5
MESSAGES = 1_000
TOKENS, RATE = 20_000, 200.0
KEYS, KEY_PAUSE = 100, 100  # milliseconds
WHEEL, WHEELS, WHEEL_PAUSE = 600, 150, 40  # pixels, times, milliseconds
FRAME = 50  # milliseconds
LAST = "And that was the last of it."

# Notes what is over 50 ms (as browsers do), how far each frame is from the one before, and how long keys wait.
NOTES = """
window.notes = {long: [], frames: [], keys: []}
new PerformanceObserver(list => notes.long.push(...list.getEntries().map(({duration}) => duration)))
  .observe({type: "longtask", buffered: true})
let before = 0
const frame = now => {
  if (before) notes.frames.push(now - before)
  before = now
  requestAnimationFrame(frame)
}
requestAnimationFrame(frame)
let pressed = 0
addEventListener("keydown", ({timeStamp}) => pressed = timeStamp, true)
addEventListener("input", () => notes.keys.push(performance.now() - pressed)) // after the page's own listeners
"""
FORGET = "() => { notes.long = []; notes.frames = []; notes.keys = [] }"
# The page's scripts have run, and something is to be seen.
USABLE = """() => Math.max(
  performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
  performance.getEntriesByName("first-contentful-paint")[0].startTime)"""
# From the last byte of what is stored until its last message is on the screen.
OPENED = """last => new Promise(resolve => {
  const came = () => Math.max(0, ...performance.getEntriesByType("resource")
    .filter(({name}) => /api.conversations.\\w{26}$/.test(name)).map(({responseEnd}) => responseEnd))
  const look = () => {
    const shown = [...document.querySelectorAll(".message--answer")].at(-1)
    if (!shown?.textContent.includes(last) || shown.getBoundingClientRect().top > innerHeight)
      return requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() =>
resolve(performance.now() - came())))
  }
  look()
})"""
TOP = "() => document.querySelector('[data-thread]').scrollTop"


@dataclass(frozen=True)
class Bench:
    browser: Browser
    site: Site

    def visit(self) -> Page:
        """A page that nobody has opened before, of the administrator."""
        context: BrowserContext = self.browser.new_context(base_url=self.site.url, locale="en-US", viewport=WIDE)
        name, value = self.site.session
        context.add_cookies([{"name": name, "value": value, "url": self.site.url}])
        context.add_init_script(NOTES)
        return context.new_page()


def main() -> None:
    with ScriptedUpstream() as provider, tempfile.TemporaryDirectory() as folder, sync_playwright() as tool:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with (
            opened(Path(folder), provider, **settings) as site,
            tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
        ):
            site.set_up()
            figures = list(_figures(Bench(browser, site)))
    print("| figure | value | at most |\n|---|--:|--:|")
    for figure in figures:
        said = "" if figure.limit is None else f"{figure.limit:g} {'**missed**' if figure.is_missed else 'met'}"
        print(f"| {figure.name} | {figure.value:.1f} {figure.unit} | {said} |")
    sys.exit(any(figure.is_missed for figure in figures))


def _figures(bench: Bench) -> Iterator[Figure]:
    yield from _first_load(bench)
    yield from _long_conversation(bench)
    yield from _long_answer(bench)


def _first_load(bench: Bench) -> Iterator[Figure]:
    times, heaps = [], []
    for _ in range(VISITS):
        page = bench.visit()
        page.goto("/", wait_until="networkidle")
        times.append(page.evaluate(USABLE))
        heaps.append(_heap(page))
        page.context.close()
    yield Figure("first load of an empty chat until it is usable, median", median(times), "ms", 400)
    yield Figure("its JavaScript heap, median", median(heaps), "MB", 10)


def _heap(page: Page) -> float:
    """Megabytes in use once what lies free has been collected."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("HeapProfiler.collectGarbage")
    return float(protocol.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def _long_conversation(bench: Bench) -> Iterator[Figure]:
    texts = [
        _answer(at) if at % 2 else f"What about the {at}th of them? Tell me more, please." for at in range(MESSAGES)
    ]
    conversation, _ = written.converse(bench.site, "Long", [*texts[:-1], LAST])
    pages, times = [bench.visit() for _ in range(OPENINGS)], []
    for page in pages:
        page.goto("/", wait_until="networkidle")
        page.locator(f"[href='/c/{conversation}']").click(no_wait_after=True)
        times.append(page.evaluate(OPENED, LAST))
        page.wait_for_load_state("networkidle")
    for other in pages[1:]:
        other.context.close()
    page = pages[0]
    yield Figure(
        f"{MESSAGES:,} messages until the last is on the screen, after the reply, median", median(times), "ms", 300
    )
    page.evaluate(FORGET)
    page.mouse.move(600, 400)
    for step in range(WHEELS):
        page.mouse.wheel(0, -WHEEL if step < WHEELS * 2 / 3 else WHEEL)
        page.wait_for_timeout(WHEEL_PAUSE)
    frames = page.evaluate("() => notes.frames")
    yield Figure("frames while it is scrolled by 60,000 pixels and half back", len(frames), "")
    yield Figure("of them over 50 ms", sum(each > FRAME for each in frames), "", 0)
    yield Figure("the slowest", max(frames), "ms")
    yield Figure("heap with it", _heap(page), "MB")
    page.context.close()


def _answer(at: int) -> str:
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


def _long_answer(bench: Bench) -> Iterator[Figure]:
    bench.site.provider.script(Answer(_text(), tokens_per_second=RATE))
    page = bench.visit()
    page.goto("/", wait_until="networkidle")
    chat = Chat(page, words("en"))
    page.evaluate(FORGET)
    chat.send("Tell me everything.")
    chat.wait_for_words(1_000)
    chat.text.click()
    for _ in range(KEYS):
        page.keyboard.press("x")
        page.wait_for_timeout(KEY_PAUSE)
    keys = page.evaluate("() => notes.keys")
    wait_until(lambda: not bench.site.rows("SELECT 1 FROM runs WHERE status = 'running'"), 2 * TOKENS / RATE)
    chat.wait_until_answered()
    long: list[Any] = page.evaluate("() => notes.long")
    blocked = sum(each - FRAME for each in long)
    yield Figure(f"{TOKENS:,} tokens at {RATE:.0f} a second: main thread blocked, in all", blocked, "ms", 200)
    yield Figure("the longest task", max(long, default=0), "ms")
    yield Figure("a key while it comes, until it is in the field, 95th percentile", p95(keys), "ms", 16)
    yield Figure("heap after it", _heap(page), "MB")
    page.context.close()


def _text() -> str:
    """About so many tokens of everything that an answer may hold."""
    parts: list[str] = []
    while sum(map(len, parts)) < TOKENS * 4:
        parts.append(_answer(2 * len(parts)))
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
