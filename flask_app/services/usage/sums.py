"""Use added up: the figures of a sum, and the groups the database makes of the roll-up's rows."""

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Row, cast, func

from flask_app.models import TokenUsage
from flask_app.services.ledger.rollup import rollup
from flask_app.services.queries.whole import rolled_sum


@dataclass(slots=True)
class Sum:
    """Entries added up, less refunds. Money is micro-units by currency; what has no price is counted as unpriced.

    What the local model answered, or SearXNG found, is free: no key, no price, and nothing that a price is missing for.
    """

    requests: int = 0
    refunds: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    estimated_requests: int = 0
    unpriced_requests: int = 0
    costs: dict[str, int] = field(default_factory=dict)

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @classmethod
    def of(cls, parts: Iterable[Self]) -> Self:
        whole = cls()
        for part in parts:
            whole.add(part)
        return whole

    def add(self, other: "Sum") -> None:
        self.requests += other.requests  # name by name: pages add thousands
        self.refunds += other.refunds
        self.prompt_tokens += other.prompt_tokens
        self.cached_tokens += other.cached_tokens
        self.completion_tokens += other.completion_tokens
        self.reasoning_tokens += other.reasoning_tokens
        self.estimated_requests += other.estimated_requests
        self.unpriced_requests += other.unpriced_requests
        for currency, micros in other.costs.items():
            self.costs[currency] = self.costs.get(currency, 0) + micros


COUNTS = (
    "requests",
    "refunds",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "estimated_requests",
    "unpriced_requests",
)
SUMMED = (*COUNTS, "cost_micros")
Key = TypeVar("Key")
_NOTHING = [0] * len(SUMMED)


def is_free(entry: TokenUsage) -> bool:
    """Did the local model answer, or SearXNG search? Only they need no key."""
    return entry.key_id is None and entry.cost_micros is None


def figures() -> list[ColumnElement[Any]]:
    """The columns of a query that groups a slice by `currency` and what else it will."""
    return [rollup.c.currency, *(rolled_sum(rollup.c[name]).label(name) for name in SUMMED)]


def whole_sum(column: ColumnElement[int]) -> ColumnElement[int]:
    """MariaDB makes a decimal of a sum, which takes long to be read."""
    return cast(func.sum(column), BigInteger)


class Pile(Generic[Key]):
    """Groups of rows added up by a key and currency, some of them taken away again."""

    def __init__(self) -> None:
        self._figures: dict[tuple[Key, str], list[int]] = {}

    def add(self, key: Key, currency: str, figures: list[int]) -> None:
        """`figures` are those of SUMMED."""
        known = self._figures.get((key, currency))
        self._figures[key, currency] = figures if known is None else [*map(operator.add, known, figures)]

    def take(self, key: Key, currency: str, figures: list[int]) -> None:
        known = self._figures.get((key, currency), _NOTHING)
        self._figures[key, currency] = [*map(operator.sub, known, figures)]

    def into(self, sums: Mapping[Key, Sum]) -> None:
        """Add each group to the sum of its key. A group whose entries were all taken away has left nothing."""
        for (key, currency), (*counts, micros) in self._figures.items():
            if counts[0] or counts[1]:
                costs = {currency: micros} if currency else {}
                sums[key].add(Sum(**dict(zip(COUNTS, counts, strict=True)), costs=costs))


def sum_of(row: Row[Any]) -> Sum:
    """One group."""
    counts = {name: getattr(row, name) for name in COUNTS}
    return Sum(**counts, costs={row.currency: row.cost_micros} if row.currency else {})
