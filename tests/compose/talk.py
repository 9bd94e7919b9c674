"""Answers that people read through nginx, one or many at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from tests.compose.conftest import Stack
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer
from tests.support.served import Visitor

ANSWER = Answer(text=" ".join(f"word{number}" for number in range(60)), tokens_per_second=15)
WORDS = 600
LONG = Answer(text=" ".join(f"word{number}" for number in range(WORDS)), tokens_per_second=10)


def whole(visitor: Visitor, hears: Callable[[], None] = lambda: None) -> tuple[str, str]:
    """The last event of an answer, and its text; `hears` is called with the first word."""
    text, name = "", ""
    for name, data in visitor.chat("hello"):
        if name == "token":
            if not text:
                hears()
            text += data["text"]
    return name, text


@contextmanager
def streaming(stack: Stack, count: int, answer: Answer) -> Iterator[list[Future[tuple[str, str]]]]:
    """The block runs once all of them have begun."""
    stack.upstream.script(*[answer] * count)
    begun: list[None] = []
    with ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(whole, stack.admin, lambda: begun.append(None)) for _ in range(count)]

        def all_began() -> bool:
            for each in answers:
                assert not each.done() or each.result()
            return len(begun) == count

        wait_until(all_began, 60)
        yield answers
