"""When a process collects what only refers to itself."""

import gc
import mmap
import weakref
from collections.abc import Iterator

import pytest

from scripts.memory import GROWTH, MUCH, Memory


class Circle:
    """Refers to itself, and holds so many bytes: new ones, and not what tests before have given back."""

    def __init__(self, size: int) -> None:
        self.itself = self
        self.held = mmap.mmap(-1, max(size, mmap.PAGESIZE))
        for page in range(0, size, mmap.PAGESIZE):
            self.held[page] = 1  # written, and so really there


@pytest.fixture(autouse=True)
def nothing_else_collects() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def trims() -> list[int]:
    return []


@pytest.fixture
def memory(trims: list[int]) -> Memory:
    """Of a process that has been tidied."""
    memory = Memory(trims.append)
    memory.tidy(is_idle=True)
    return memory


def left(size: int) -> "weakref.ref[Circle]":
    return weakref.ref(Circle(size))


def test_what_made_memory_grow_is_collected_and_given_back(memory: Memory, trims: list[int]) -> None:
    circle = left(64 * GROWTH)
    memory.tidy(is_idle=True)
    assert circle() is None
    assert trims == [0, 0]


def test_nothing_is_collected_while_somebody_waits(memory: Memory, trims: list[int]) -> None:
    circle = left(MUCH // 2)
    memory.tidy(is_idle=False)
    assert circle() is not None
    assert trims == [0, 0]
    memory.tidy(is_idle=True)
    assert circle() is None


def test_a_server_on_which_somebody_always_waits_does_not_grow_for_ever(memory: Memory, trims: list[int]) -> None:
    circle = left(2 * MUCH)
    memory.tidy(is_idle=False)
    assert circle() is None
    assert trims == [0, 0]


def test_nothing_is_collected_where_nothing_has_grown(memory: Memory) -> None:
    circle = left(0)
    memory.tidy(is_idle=True)
    assert circle() is not None
