"""Questions that tell the scripted provider what to do, and answers in which every word says whose it is."""

import re
from dataclasses import dataclass
from typing import Self

_WISH = re.compile(r"(u(\d+)q\d+) words=(\d+) rate=(\d+)(?: fault=(\S+))?")
_OWNED = re.compile(r"u(\d+)q\d+w\d+")


@dataclass(frozen=True, slots=True)
class Wish:
    """An answer of `words` words, `rate` a second; `fault` is what goes wrong at the provider."""

    tag: str
    words: int
    rate: int
    fault: str = ""
    padding: int = 0  # characters that the question is longer by

    @classmethod
    def of(cls, question: str) -> Self | None:
        found = _WISH.search(question)
        return cls(found[1], int(found[3]), int(found[4]), found[5] or "") if found else None

    @property
    def question(self) -> str:
        fault = f" fault={self.fault}" if self.fault else ""
        padding = " " + "x" * self.padding if self.padding else ""
        return f"{self.tag} words={self.words} rate={self.rate}{fault}{padding}"

    @property
    def answer(self) -> str:
        return " ".join(f"{self.tag}w{number}" for number in range(self.words))


def foreign_bytes(text: str, user: int) -> int:
    """How much of `text` was said to another person."""
    return sum(len(found[0]) for found in _OWNED.finditer(text) if int(found[1]) != user)
