"""Sums of the roll-up are exact on every database."""

import pytest
from sqlalchemy import select

from flask_app.database import in_transaction
from flask_app.services.ledger.rollup import FIGURES, add_rows, rollup
from flask_app.services.queries.whole import rolled_sum

MOST = (1 << 63) - 1
KEY = {"slice": "made up", "user_id": "", "model": "", "key_id": "", "channel": "", "currency": "IRR", "peak": -1}


@pytest.mark.each_case
@pytest.mark.usefixtures("app")
@pytest.mark.unsound_ledger("rows of the roll-up without entries")
@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("prompt_tokens", [(1 << 53) - 1, 1, -2]),
        ("cost_micros", [(1 << 53) + 1, 1, -((1 << 32) + 1), 3]),
        ("cost_micros", [MOST - 7, 3]),
        ("peak_extra_micros", [-MOST + 7, -3]),
        ("cache_saved_micros", [(1 << 52) - 1, 1 - (1 << 52)]),
    ],
)
def test_the_largest_sums_are_exact(name: str, parts: list[int]) -> None:
    nothing = dict.fromkeys(FIGURES, 0)
    rows = [{**KEY, "block": block, **nothing, name: part} for block, part in enumerate(parts)]
    added = select(rolled_sum(rollup.c[name])).where(rollup.c.slice == "made up").group_by(rollup.c.currency)
    in_transaction(lambda session: add_rows(session.connection(), rows))
    assert in_transaction(lambda session: session.scalar(added)) == sum(parts)
