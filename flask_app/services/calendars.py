"""How local days are numbered where a roll-up's rows are added up: each by itself, or the days of a month together."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, case, literal


class Calendar(Protocol):
    """Days are given as days after 1 January 1970."""

    def of(self, day: int) -> int:
        """The number of a day."""

    def of_column(self, day: ColumnElement[int]) -> ColumnElement[int]:
        """The same in the database."""

    def firsts(self) -> Sequence[int] | None:
        """The days that have another number than the day before; None if all have."""


class EachDay:
    """A day is its own number."""

    def of(self, day: int) -> int:
        return day

    def of_column(self, day: ColumnElement[int]) -> ColumnElement[int]:
        return day

    def firsts(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Together:
    """`starts` are the first days of the first, the second… group, in order."""

    starts: tuple[int, ...]

    def of(self, day: int) -> int:
        return bisect_right(self.starts, day) - 1

    def of_column(self, day: ColumnElement[int]) -> ColumnElement[int]:
        earlier: Iterable[tuple[ColumnElement[bool], int]] = (
            (day < start, number) for number, start in enumerate(self.starts[1:])
        )
        last = len(self.starts) - 1
        return case(*earlier, else_=last) if last else literal(0)

    def firsts(self) -> tuple[int, ...]:
        return self.starts[1:]
