"""How quick the chat's page is in a browser: ``python -m bench.page`` (or ``make bench-page``).

Chromium on loopback, as a desk computer of this machine's speed and as a phone: the first load of an empty chat, a
conversation of 1,000 messages, a list of 10,000 conversations, answers of 20,000 tokens as they come, one of everything
and one of a single block of code, and keys pressed meanwhile. Status 1 where something takes longer than it may.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import monotonic

from playwright.sync_api import Page, sync_playwright

from bench.browsing import FORGET, FRAME, Bench, heap
from bench.report import Figure, p95
from bench.scrolling import answer, long_conversation, long_list
from tests.e2e.chat import Chat
from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.site import opened
from tests.e2e.visits import PHONE, WIDE
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_answers import pieces

VISITS = 11
TOKENS, RATE = 20_000, 200.0
KEYS, KEY_PAUSE, LONGEST_KEY = 100, 100, 16  # milliseconds
LATE = 16_500  # tokens have come when keys are pressed again: they are until some 19,000 have
FRAME_AT_60 = 17  # milliseconds: 60 frames a second
AFTERWARDS = 2_000  # milliseconds, in which what is drawn at its end counts too
RUNNING = "SELECT 1 FROM runs WHERE status = 'running'"
FUNCTION = '''def number_{0}(values: list[int]) -> int:
    """The {0}th sum of those that are odd."""
    return sum(value * {0} for value in values if value % 2)  # nothing of the others


'''

# The page's scripts have run, and something is to be seen.
USABLE = """() => Math.max(
  performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd,
  performance.getEntriesByName("first-contentful-paint")[0].startTime)"""


def main() -> None:
    with ScriptedUpstream() as provider, tempfile.TemporaryDirectory() as folder, sync_playwright() as tool:
        settings = {"DEEPSEEK_API_KEY": "sk-scripted-0000", "DEEPSEEK_BASE_URL": provider.base_url}
        with (
            opened(Path(folder), provider, **settings) as site,
            tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
        ):
            site.set_up()
            missed = [_show(Bench(browser, site, size)) for size in (WIDE, PHONE)]
    sys.exit(any(missed))


def _show(bench: Bench) -> bool:
    """Says each figure as soon as it is known; gives whether one is missed."""
    print(f"\n| at {bench.where} | value | at most |\n|---|--:|--:|", flush=True)
    missed = False
    for figure in _figures(bench):
        said = "" if figure.limit is None else f"{figure.limit:g} {'**missed**' if figure.is_missed else 'met'}"
        print(f"| {figure.name} | {figure.value:.1f} {figure.unit} | {said} |", flush=True)
        missed = missed or figure.is_missed
    return missed


def _figures(bench: Bench) -> Iterator[Figure]:
    yield from _first_load(bench)
    yield from long_conversation(bench)
    yield from long_list(bench)
    yield from _long_answer(bench, f"{TOKENS:,} tokens", _everything())
    yield from _long_answer(bench, f"{TOKENS:,} tokens of one block of code", _code())


def _first_load(bench: Bench) -> Iterator[Figure]:
    times, heaps = [], []
    for _ in range(VISITS):
        page = bench.visit()
        page.goto("/", wait_until="networkidle")
        times.append(page.evaluate(USABLE))
        heaps.append(heap(page))
        page.context.close()
    yield Figure("first load of an empty chat until it is usable, median", median(times), "ms", 400)
    yield Figure("its JavaScript heap, median", median(heaps), "MB", 10)


def _long_answer(bench: Bench, what: str, text: str) -> Iterator[Figure]:
    bench.site.provider.script(Answer(text, tokens_per_second=RATE))
    page = bench.visit()
    page.goto("/", wait_until="networkidle")
    chat = Chat(page, words("en"))
    page.evaluate(FORGET)
    chat.send("Tell me everything.")
    chat.wait_for_words(1_000)
    begun = monotonic()
    chat.text.click()
    early = _pressed(page)
    page.evaluate("() => { notes.frames.length = 0 }")
    page.wait_for_timeout(1000 * max(0.0, LATE / RATE - (monotonic() - begun)))
    late = _pressed(page)
    if not bench.site.rows(RUNNING):
        raise RuntimeError("the answer was whole before the last key")
    wait_until(lambda: not bench.site.rows(RUNNING), 2 * TOKENS / RATE)
    page.wait_for_timeout(AFTERWARDS)
    long, frames = page.evaluate("() => [notes.long, notes.frames]")  # before looks by role, which are long work
    chat.wait_until_answered()
    blocked = sum(each - FRAME for each in long)
    yield Figure(f"{what} at {RATE:.0f} a second: main thread blocked, in all", blocked, "ms", 200)
    yield Figure("the longest task", max(long, default=0), "ms")
    yield Figure("from one frame to the next while it comes, median", median(frames), "ms", FRAME_AT_60)
    yield Figure("the same, 95th percentile", p95(frames), "ms", 2 * FRAME_AT_60)
    yield Figure(f"of {len(frames):,} frames over {FRAME} ms", sum(each > FRAME for each in frames), "")
    for when, keys in (("as it begins", early), (f"from {LATE:,} tokens on", late)):
        yield Figure(f"a key {when}, until it is in the field, 95th percentile", p95(keys), "ms", LONGEST_KEY)
        yield Figure("the longest of them", max(keys), "ms")
    yield Figure("heap after it", heap(page), "MB")
    page.context.close()


def _pressed(page: Page) -> list[float]:
    """How long each of some keys takes."""
    page.evaluate("() => { notes.keys.length = 0 }")
    for _ in range(KEYS):
        page.keyboard.press("x")
        page.wait_for_timeout(KEY_PAUSE)
    return [float(each) for each in page.evaluate("() => notes.keys")]


def _everything() -> str:
    """So many tokens of everything that an answer may hold, as the provider sends them."""
    return "\n\n".join(_until_there_are(TOKENS, lambda at: answer(2 * at)))


def _code() -> str:
    """So many tokens of a whole file in one block."""
    return "```python\n" + "".join(_until_there_are(TOKENS, FUNCTION.format)) + "```"


def _until_there_are(tokens: int, part: Callable[[int], str]) -> list[str]:
    parts: list[str] = []
    while sum(len(pieces(each)) for each in parts) < tokens:
        parts.append(part(len(parts)))
    return parts


if __name__ == "__main__":
    main()
