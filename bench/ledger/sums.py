"""What is added up from a block of the ledger: the rows of the roll-up's slices, and what was spent by day
and, by programs, by month.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Table

from flask_app.services.ledger import rollup as rollups
from flask_app.services.ledger import spending
from flask_app.services.ledger.rollup import DETAIL, FIGURES, SLICES, UNUSED, Slice

_Key = tuple[Any, ...]  # the block, then the dimensions in the order of UNUSED
_Rows = dict[_Key, list[int]]


class Sums:
    """Entries are added one by one; the coarser slices are made at the end, each from the one it is checked against."""

    def __init__(self) -> None:
        self._detail: _Rows = {}
        self._spent: dict[tuple[Table, _Key], int] = {}

    def add(self, entry: dict[str, Any]) -> None:
        _add(self._detail, (entry["quarter"], *rollups.dimensions(entry).values()), rollups.figures(entry).values())
        for table, added in spending.rows(entry):
            for row in added:
                counter = table, tuple(row[column.name] for column in table.primary_key)
                self._spent[counter] = self._spent.get(counter, 0) + row["amount"]

    def rows(self) -> Iterator[tuple[Table, dict[str, Any]]]:
        slices = {DETAIL.name: self._detail}
        for each in SLICES:
            if each.source:
                slices[each.name] = _folded(slices[each.source.name], each, each.source)
            for key, figures in sorted(slices[each.name].items()):
                dimensions = zip(UNUSED, key[1:], strict=True)
                yield (
                    rollups.rollup,
                    {
                        "slice": each.name,
                        "block": key[0],
                        **dict(dimensions),
                        **dict(zip(FIGURES, figures, strict=True)),
                    },
                )
        for (table, key), amount in sorted(self._spent.items(), key=str):
            names = [column.name for column in table.primary_key]
            yield table, dict(zip((*names, "amount"), (*key, amount), strict=True))


def _folded(rows: _Rows, each: Slice, source: Slice) -> _Rows:
    dropped = [None if name in each.dimensions else unused for name, unused in UNUSED.items()]
    folded: _Rows = {}
    for (block, *dimensions), figures in rows.items():
        kept = (value if drop is None else drop for value, drop in zip(dimensions, dropped, strict=True))
        _add(folded, (each.block_of(block * source.size), *kept), figures)
    return folded


def _add(rows: _Rows, key: _Key, figures: Any) -> None:
    known = rows.get(key)
    rows[key] = [*figures] if known is None else [one + other for one, other in zip(known, figures, strict=True)]
