"""Answers that people read through nginx, one or many at once."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tests.compose.conftest import Stack
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer
from tests.support.served import Visitor

ANSWER = Answer(text=" ".join(f"word{number}" for number in range(60)), tokens_per_second=15)
WORDS = 600
LONG = Answer(text=" ".join(f"word{number}" for number in range(WORDS)), tokens_per_second=10)


@dataclass(frozen=True)
class Heard:
    """What a reader had of an answer: its last event, its words, and the codes of what went wrong meanwhile."""

    last: str
    text: str
    troubles: tuple[str, ...] = ()


def heard(visitor: Visitor, hears: Callable[[], None] = lambda: None) -> Heard:
    """`hears` is called with the first word."""
    text, last = "", ""
    troubles: list[str] = []
    for last, data in visitor.chat("hello"):
        if last == "token":
            if not text:
                hears()
            text += data["text"]
        elif last == "error":
            troubles.append(data["code"])
    return Heard(last, text, tuple(troubles))


def whole(visitor: Visitor) -> tuple[str, str]:
    """The last event of an answer, and its text."""
    had = heard(visitor)
    return had.last, had.text


def assert_whole(answers: Sequence[Future[Heard]], text: str) -> None:
    """Many that end at once may wait for a busy database, and are told so; nothing else goes wrong with any."""
    had = [answer.result() for answer in answers]
    assert {(each.last, each.text) for each in had} == {("done", text)}
    assert {code for each in had for code in each.troubles} <= {"not_saved_yet"}


@contextmanager
def streaming(stack: Stack, count: int, answer: Answer) -> Iterator[list[Future[Heard]]]:
    """The block runs once all of them have begun."""
    stack.upstream.script(*[answer] * count)
    begun: list[None] = []
    with ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(heard, stack.admin, lambda: begun.append(None)) for _ in range(count)]

        def all_began() -> bool:
            for each in answers:
                if each.done():
                    each.result()  # raises what went wrong
            return len(begun) == count

        wait_until(all_began, 60)
        yield answers
