"""Regular expressions take linear time, whatever a stranger makes them read."""

import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

import flask_app

LENGTH = 20_000  # a pattern that goes back over everything at each character takes seconds for it
PIECES = ("a", "1", "a1", "A-", "_", " ", "\t", "\n", ".", "/", ":", "=", "@", '"', "$", "=*", "字", "\u200b", "\x00")


def patterns() -> Iterator[tuple[str, re.Pattern[Any]]]:
    for module in pkgutil.walk_packages(flask_app.__path__, "flask_app."):
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            for number, pattern in enumerate(_within(value)):
                yield f"{module.name}.{name}[{number}]", pattern


def _within(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _within(part)


def seconds(pattern: re.Pattern[Any], text: str) -> float:
    read = text.encode() if isinstance(pattern.pattern, bytes) else text
    began = time.thread_time()
    pattern.search(read)
    pattern.fullmatch(read)
    return time.thread_time() - began


FOUND = dict(patterns())


def test_the_patterns_are_found() -> None:
    assert len(FOUND) > 20
    assert any(name.startswith("flask_app.logs._KNOWN_SHAPES") for name in FOUND)


@pytest.mark.security("patterns-linear")
@pytest.mark.parametrize("name", FOUND)
def test_a_pattern_takes_linear_time(name: str) -> None:
    pattern = FOUND[name]
    shape = pattern.pattern.decode() if isinstance(pattern.pattern, bytes) else pattern.pattern
    own = [*re.findall(r"[a-zA-Z]{2,}", shape)[:20], "://", "://a:", "sk-", "bearer "]
    beginnings = ["", *own]
    for beginning, piece in itertools.product(beginnings, (*PIECES, *own)):
        text = beginning + (piece * LENGTH)[:LENGTH] + "\x01"
        # Once more before it is blamed: other threads of a busy machine cost a processor's caches too.
        assert seconds(pattern, text) < 0.2 or seconds(pattern, text) < 0.2, (beginning, piece)


def test_one_that_goes_back_is_found_out() -> None:
    assert seconds(re.compile(r"exceed\w*\b!"), ("exceed" * LENGTH)[:LENGTH]) > 0.2
