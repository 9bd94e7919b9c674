"""How long it takes to find the passages of a long document: ``python -m bench.passages`` (or ``make bench-passages``).

As many words as a file may have, in English (2,000 pages) and in Chinese, asked about briefly and at length; what a
later turn takes, which tells what was found before; and what the comparison of vectors takes, each of 1,024 numbers
that are drawn: whether vectors find anything is the question of `bench.meaning`. In milliseconds of the processor: it
is done in a thread of its own, while others are answered. Status 1 where the 95th percentile is beyond 100, or 400 for
thousands of words.
"""

import json
import random
import sys
import time
from collections.abc import Callable

from bench.report import p95
from flask_app.domain import files, passages, telling, vectors
from flask_app.domain.telling import SEARCH, Way

MOST_MILLISECONDS, MOST_FOR_LONG = 100, 400
TIMES = 20
NUMBERS = 1_024  # of a vector, as most embedding models make them
HAN = [chr(0x4E00 + place) for place in range(3_000)]


def main() -> int:
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 10))) for _ in range(20_000)]
    english = _document(lambda: " ".join(chance.choices(words, weights=_frequent(words), k=12)) + ".\n")
    chinese = _document(lambda: "".join(chance.choices(HAN, weights=_frequent(HAN), k=30)) + "，\n")
    late = False
    for name, text, brief, long in (
        ("English", english, "When does the warranty of these pumps end?", " ".join(chance.choices(words, k=5_000))),
        ("Chinese", chinese, "水泵的保修期什么时候结束？", "".join(chance.choices(HAN, k=5_000))),
    ):
        print(f"{name}: {len(text.encode()) / 1e6:.2f} MB, {sum(1 for _ in passages.pieces_of(text)):,} pieces")
        drawn = _drawn(chance, text)
        found = telling.places(passages.best([text], words[500] + HAN[500], telling.MOST_TOKENS))
        for what, work, most in (
            (
                "a question",
                lambda text=text, brief=brief: passages.best([text], brief, telling.MOST_TOKENS),
                MOST_MILLISECONDS,
            ),
            (
                "5,000 words",
                lambda text=text, long=long: passages.best([text], long, telling.MOST_TOKENS),
                MOST_FOR_LONG,
            ),
            (
                "a later turn",
                lambda text=text, found=found: telling.document("a.pdf", 2_000, text, Way(SEARCH, found)),
                MOST_MILLISECONDS,
            ),
            (
                "its vectors",
                lambda drawn=drawn: vectors.ranked(drawn, drawn[0]),
                MOST_MILLISECONDS,
            ),
        ):
            taken = _milliseconds(work)
            late |= taken > most
            print(f"  {what:<14}{taken:6.0f} ms (at most {most})")
    return int(late)


def _drawn(chance: random.Random, text: str) -> list[bytes]:
    """A vector for each passage."""
    count = sum(1 for _ in passages.pieces_of(text))
    return [vectors.packed(json.dumps([chance.gauss(0, 1) for _ in range(NUMBERS)]).encode()) for _ in range(count)]


def _document(line: Callable[[], str]) -> str:
    """Pages of a thousand characters or so, as many as a file may have words."""
    pages, room = list[str](), files.MOST_TEXT_BYTES - 20_000
    while room > 0 and len(pages) < files.MOST_PAGES:
        page = f"[page {len(pages) + 1}]\n"
        while len(page.encode()) < files.MOST_TEXT_BYTES // files.MOST_PAGES - 60:
            page += line()
        pages.append(page)
        room -= len(page.encode())
    return "".join(pages)


def _frequent(words: list[str]) -> list[float]:
    """A few of them are most of a text."""
    return [1 / (place + 10) for place in range(len(words))]


def _milliseconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1_000)
    return p95(taken)


if __name__ == "__main__":
    sys.exit(main())
