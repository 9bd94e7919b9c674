"""How long an answer may become: a provider that ignores `max_tokens`, or finds no end, is cut."""

from collections.abc import Iterable

from flask_app.domain.events import Event, Logprobs, OfChoice, Reasoning, Token, ToolCall

LONGEST = 4_000_000  # characters of text, or of thoughts: twice what the longest answers have (384,000 tokens)
TOKEN_CHARACTERS, SPARE = 16, 4_000  # a token has 1.6 (Chinese) to 4 in the mean: nothing honest is longer
LIKELY_BYTES, LIKELY_SPARE = 16 << 20, 64  # of how likely all tokens were, and what each takes beside its bytes
PIECE_CHARACTERS = 4  # what a piece counts for beside its characters, for pieces take memory too
CALL_CHARACTERS = 100  # the first of a call: it is remembered until the answer has ended


class Room:
    """What is left for the text of one answer, and for its thoughts, which not every provider counts as tokens.

    And for what is told of its tokens: that is many times as long as they are.
    """

    __slots__ = ("_likely", "_text", "_thoughts")

    def __init__(self, max_tokens: object, choices: int = 1) -> None:
        """`max_tokens` as it is sent; without one the answer is as long as any may be. Of several all are counted."""
        asked = max_tokens * TOKEN_CHARACTERS + SPARE if isinstance(max_tokens, int) else LONGEST
        self._text = self._thoughts = min(asked, LONGEST) * choices
        self._likely = LIKELY_BYTES

    def is_full_after(self, events: Iterable[Event]) -> bool:
        """Count what came: does it leave no room for more?"""
        for each in events:
            if isinstance(each, Token):  # nearly all are
                self._text -= len(each.text) + PIECE_CHARACTERS
                continue
            event = each.event if isinstance(each, OfChoice) else each
            if isinstance(event, Token):
                self._text -= len(event.text) + PIECE_CHARACTERS
            elif isinstance(event, ToolCall):
                self._text -= len(event.text) + (len(event.id) + CALL_CHARACTERS if event.id else PIECE_CHARACTERS)
            elif isinstance(event, Reasoning):
                self._thoughts -= len(event.text) + PIECE_CHARACTERS
            elif isinstance(event, Logprobs):
                self._likely -= sum(len(item) + LIKELY_SPARE for item in event.items)
        return self._text < 0 or self._thoughts < 0 or self._likely < 0
