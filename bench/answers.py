"""The text of a benchmark answer: every token can be told apart, so that loss and repeats show.

The first token names the answer and carries the moment it was sent; the others carry their number.
"""

import re
from itertools import cycle

MODEL = "deepseek-flash"
MAX_TOKENS = 2000
WORDS = cycle(
    ["the", "stream", "of", "明聊", "tokens,", "keeps", "一", "answer\n\n-", "clear", "`and`", "whole", "你们"]
)
PIECES = [f" {word}{number}" for number, word in zip(range(MAX_TOKENS), WORDS, strict=False)]

_QUESTION = re.compile(rb"answer (\w+) in (\d+) tokens")
_FIRST = re.compile(r"~(\w+)@(\d+)")


def question(answer_id: str, tokens: int) -> str:
    """The message that asks the scripted upstream for such an answer."""
    return f"Please give answer {answer_id} in {tokens} tokens."


def asked(body: bytes) -> tuple[str, int]:
    """The answer's id and length that the last question in a request asks for."""
    answer_id, tokens = _QUESTION.findall(body)[-1]
    return answer_id.decode(), min(int(tokens), MAX_TOKENS)


def first_piece(answer_id: str, sent_ns: int) -> str:
    """The first token: its answer, and when it was sent (monotonic nanoseconds, as all of the machine)."""
    return f"~{answer_id}@{sent_ns}"


def first_mark(answer_id: str) -> bytes:
    """What a client looks for in the bytes to know that the first token is there."""
    return f"~{answer_id}@".encode()


def fault_in(text: str, answer_id: str, tokens: int) -> str | None:
    """What is wrong with an answer, None when every token came exactly once and in order."""
    first = _FIRST.match(text)
    if not first or first[1] != answer_id:
        return f"begins with {text[:40]!r}"
    rest, expected = text[first.end() :], "".join(PIECES[1:tokens])
    if rest == expected:
        return None
    same = next((i for i, pair in enumerate(zip(rest, expected, strict=False)) if pair[0] != pair[1]), -1)
    return f"has {len(rest)} characters for {len(expected)}, first difference at {same}"


def sent_ns(text: str) -> int:
    """When the first token of a whole answer was sent."""
    first = _FIRST.match(text)
    return int(first[2]) if first else 0
