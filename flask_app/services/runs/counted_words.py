"""How many tokens an answer has so far, counted piece by piece: exactly what its `estimate` says of the whole."""

from dataclasses import dataclass
from typing import Self

from flask_app.domain.events import tokens_of
from flask_app.services.completion.attempts import Outcome


@dataclass(frozen=True, slots=True)
class _Part:
    """Of the first `places` pieces."""

    places: int = 0
    ascii_characters: int = 0
    characters: int = 0

    def upto(self, pieces: list[str]) -> "_Part":
        new = pieces[self.places :]
        if not new:
            return self
        words = "".join(new)
        return _Part(
            self.places + len(new),
            self.ascii_characters + len(words.encode("ascii", "ignore")),
            self.characters + len(words),
        )

    @property
    def tokens(self) -> int:
        return tokens_of(self.ascii_characters, self.characters - self.ascii_characters)


@dataclass(frozen=True, slots=True)
class Counted:
    """What had come by the last look. It never changes: whoever looks at the same time counts nothing twice."""

    outcome: Outcome | None = None
    parts: tuple[_Part, _Part, _Part] = (_Part(), _Part(), _Part())

    def upto(self, outcome: Outcome) -> Self:
        """With what has come since; of another outcome, all of it."""
        before = self.parts if outcome is self.outcome else (_Part(), _Part(), _Part())
        text, thoughts, calls = before
        now = text.upto(outcome.text_parts), thoughts.upto(outcome.reasoning_parts), calls.upto(outcome.call_parts)
        return type(self)(outcome, now)

    @property
    def tokens(self) -> int:
        kept = self.outcome.kept_tokens if self.outcome else 0
        return sum(part.tokens for part in self.parts) + kept
