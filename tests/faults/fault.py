"""The list of faults: each a function that does something to the site, and leaves it as it was."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypedDict, Unpack

from tests.faults.site import Site

Happening = Callable[[Site, Random], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """`row` is its row of the fault matrix. It is drawn as often as `weight` says; one of weight 1 takes long.

    `kills`: it takes workers with it.
    """

    name: str
    row: str
    happen: Happening
    weight: int
    kills: bool

    @property
    def is_long(self) -> bool:
        return self.weight == 1


class Options(TypedDict, total=False):
    """What is not so of every fault."""

    weight: int
    kills: bool


FAULTS: dict[str, Fault] = {}


def fault(row: str, **more: Unpack[Options]) -> Callable[[Happening], Happening]:
    """Put a function on the list, by its own name; raises AssertionError where the promise of its row is broken."""

    def keep(happen: Happening) -> Happening:
        keep_as(happen.__name__.replace("_", " "), row, happen, **more)
        return happen

    return keep


def keep_as(name: str, row: str, happen: Happening, **more: Unpack[Options]) -> None:
    assert name not in FAULTS, name
    FAULTS[name] = Fault(name, row, happen, more.get("weight", 4), more.get("kills", False))
