"""Whether meaning finds what words do not: ``python -m bench.meaning ADDRESS MODEL`` (``make bench-meaning``).

The document is what this project says of itself in English; the questions of `meaning.json` each have a phrase that the
passage with their answer has, some asked in its words, some in other ones. Each is searched for by words, by meaning,
and by both, in as many tokens as one document of a question may have, in a quarter of that, and in an eighth.
ADDRESS is that of any provider's API with embeddings, its key is EMBEDDINGS_KEY. It tells what it finds; no figure
fails.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import requests

from bench.report import p95
from flask_app.domain import passages, telling, vectors
from flask_app.domain.passages import Passage

DOCUMENTS = Path("docs")
QUESTIONS = Path(__file__).with_suffix(".json")
NOT_READ = {"api.md", "security.md"}  # generated
AT_ONCE = 32
SHARES = (1, 4, 8)


class Document(NamedTuple):
    text: str
    pieces: list[Passage]
    made: list[bytes]


def main(address: str, model: str) -> int:
    text, questions = _text(), json.loads(QUESTIONS.read_text())
    if missing := [phrase for group in questions.values() for _, phrase in group if phrase not in text]:
        raise SystemExit(f"The documents do not have: {missing}")
    pieces = list(passages.pieces_of(text))
    began = time.monotonic()
    document = Document(text, pieces, _vectors(address, model, [text[each.begin : each.end] for each in pieces]))
    taken = time.monotonic() - began
    print(
        f"{len(text.encode()) / 1e6:.2f} MB, {len(pieces)} passages, {len(document.made[0]) - 4} numbers, {taken:.0f} s"
    )
    for group, asked in questions.items():
        near = [vectors.ranked(document.made, each) for each in _vectors(address, model, [words for words, _ in asked])]
        for share in SHARES:
            print(f"{group}, {telling.MOST_TOKENS // share} tokens: {_report(document, asked, near, share)}")
    return 0


def _report(document: Document, asked: Sequence[Sequence[str]], near: Sequence[list[int]], share: int) -> str:
    """How many of the questions found the passage that has their phrase."""
    budget = telling.MOST_TOKENS // share
    ways: dict[str, Callable[[str, list[int]], Sequence[Passage]]] = {
        "words": lambda words, _: passages.best([document.text], words, budget),
        "meaning": lambda _, order: passages.best([document.text], "", budget, order),
        "both": lambda words, order: passages.best([document.text], words, budget, order),
    }
    told, times = [], list[float]()
    for name, find in ways.items():
        count = 0
        for (words, phrase), order in zip(asked, near, strict=True):
            began = time.process_time()
            shown = find(words, order)
            times.append((time.process_time() - began) * 1_000)
            count += any(phrase in document.text[each.begin : each.end] for each in shown)
        told.append(f"{name} {count}")
    return f"{', '.join(told)} of {len(asked)} ({p95(times):.0f} ms)"


def _text() -> str:
    """The documents that are written in English, one after the other."""
    paths = [*DOCUMENTS.glob("*.md"), *(DOCUMENTS / "decisions").glob("*.md")]
    return "\n\n".join(path.read_text() for path in sorted(paths) if path.name.isascii() and path.name not in NOT_READ)


def _vectors(address: str, model: str, inputs: Sequence[str]) -> list[bytes]:
    made = list[bytes]()
    headers = {"Authorization": f"Bearer {os.environ.get('EMBEDDINGS_KEY', 'none')}"}
    for at in range(0, len(inputs), AT_ONCE):
        body = {"model": model, "input": list(inputs[at : at + AT_ONCE])}
        reply = requests.post(f"{address}/embeddings", json=body, headers=headers, timeout=120)
        reply.raise_for_status()
        found = sorted(reply.json()["data"], key=lambda each: int(each["index"]))
        made += [vectors.packed(json.dumps(each["embedding"]).encode()) for each in found]
    return made


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
