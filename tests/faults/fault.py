"""The list of faults: each a function that does something to the site, and leaves it as it was."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.faults.site import Site

Happening = Callable[[Site, Random], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """`row` is its row of the fault matrix. It is drawn as often as `weight` says; one of weight 1 takes long.

    `kills`: it takes workers with it, so that what a provider had not told them is an estimate.
    `loses_commit`: an attempt may have been written for which the provider was never asked.
    """

    name: str
    row: str
    happen: Happening
    weight: int
    kills: bool
    loses_commit: bool

    @property
    def is_long(self) -> bool:
        return self.weight == 1


FAULTS: dict[str, Fault] = {}


def fault(
    row: str, *, weight: int = 4, kills: bool = False, loses_commit: bool = False
) -> Callable[[Happening], Happening]:
    """Put a function on the list, by its own name; raises AssertionError where the promise of its row is broken."""

    def keep(happen: Happening) -> Happening:
        keep_as(happen.__name__.replace("_", " "), row, happen, weight=weight, kills=kills, loses_commit=loses_commit)
        return happen

    return keep


def keep_as(
    name: str, row: str, happen: Happening, *, weight: int = 4, kills: bool = False, loses_commit: bool = False
) -> None:
    assert name not in FAULTS, name
    FAULTS[name] = Fault(name, row, happen, weight, kills, loses_commit or kills)
