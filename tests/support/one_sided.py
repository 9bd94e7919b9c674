"""Whether one of two kinds of requests takes longer: asked in pairs, for a busy machine makes both of a pair longer."""

from collections.abc import Callable
from math import comb
from statistics import median

BY_CHANCE = 1e-6


def chance(longer: int, pairs: int) -> float:
    """How likely so one-sided a count is, or more so, where each of a pair is the longer one by chance (sign test)."""
    few = min(longer, pairs - longer)
    return min(1.0, 2 * sum(comb(pairs, count) for count in range(few + 1)) / (1 << pairs))


def asked_in_turn(ask: Callable[[str], float], one: str, other: str, number: int) -> tuple[float, float]:
    """How long each name took; that of an even `number` begins with the other."""
    if number % 2:
        return ask(one), ask(other)
    later = ask(other)
    return ask(one), later


def assert_alike(one: list[float], other: list[float]) -> None:
    """Neither takes longer in nearly all of the pairs. Work of which one is spared makes the other do so."""
    longer = sum(mine > its for mine, its in zip(one, other, strict=True))
    told = f"longer in {longer} of {len(one)} pairs: {1000 * median(one):.2f} and {1000 * median(other):.2f} ms"
    assert chance(longer, len(one)) > BY_CHANCE, told
