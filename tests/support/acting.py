"""State machines whose acts are drawn by weight.

Hypothesis leaves out rules of a machine at random, half of them on the average and in some sequences all but one: where
acts mean nothing without others before them, most sequences would do nothing. Here what weighs most is always there.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import DataObject, SearchStrategy

Act = TypeVar("Act", bound=Callable[..., None])


class _Drawn(NamedTuple):
    name: str
    weight: int
    arguments: dict[str, SearchStrategy[Any]]


def act(weight: int = 1, /, **arguments: SearchStrategy[Any]) -> Callable[[Act], Act]:
    """What a machine does with drawn arguments, `weight` times as often as others; with 1 it may be left out."""

    def note(function: Act) -> Act:
        vars(function)["drawn"] = _Drawn(function.__name__, weight, arguments)
        return function

    return note


class Acting(RuleBasedStateMachine):
    """A machine that does one act after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._left_out: frozenset[str] = frozenset()

    @initialize(data=st.data())
    def leave_out(self, data: DataObject) -> None:
        """So that also sequences are seen in which nobody is deleted, nothing fails."""
        names = [each.name for each in _acts(type(self)) if each.weight == 1]
        self._left_out = data.draw(st.frozensets(st.sampled_from(names)), "left out")

    @rule(data=st.data())
    def do(self, data: DataObject) -> None:
        acts = [each for each in _acts(type(self)) if each.name not in self._left_out for _ in range(each.weight)]
        chosen = data.draw(st.sampled_from(acts), "act")
        drawn = {name: data.draw(strategy, name) for name, strategy in chosen.arguments.items()}
        getattr(self, chosen.name)(**drawn)


@lru_cache
def _acts(machine: type[Acting]) -> tuple[_Drawn, ...]:
    found = (getattr(getattr(machine, name), "drawn", None) for name in dir(machine))
    return tuple(each for each in found if isinstance(each, _Drawn))
