"""Sums of the roll-up: exact on every database, or not told."""

import pytest
from sqlalchemy import select

from flask_app.database import engine, in_transaction
from flask_app.services.ledger.rollup import FIGURES, add_rows, rollup
from flask_app.services.queries.whole import EXACT_BELOW, RolledSum
from flask_app.services.usage.sums import COUNTS, Pile, Sum

PARTS = [EXACT_BELOW - 1, 1, EXACT_BELOW - 3, 1 - EXACT_BELOW]
KEY = {"slice": "made up", "user_id": "", "model": "", "key_id": "", "channel": "", "currency": "CNY", "peak": -1}


@pytest.mark.usefixtures("app")
@pytest.mark.unsound_ledger("rows of the roll-up without entries")
def test_the_largest_sums_are_exact_on_every_database() -> None:
    nothing = dict.fromkeys(FIGURES, 0)
    rows = [{**KEY, "block": block, **nothing, "cost_micros": part} for block, part in enumerate(PARTS)]
    added = select(RolledSum(rollup.c.cost_micros)).where(rollup.c.slice == "made up").group_by(rollup.c.currency)
    in_transaction(lambda session: add_rows(session.connection(), rows))
    assert in_transaction(lambda session: session.scalar(added)) == sum(PARTS) == EXACT_BELOW - 2


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("micros", [EXACT_BELOW - 1, 1 - EXACT_BELOW, EXACT_BELOW, -EXACT_BELOW, 1 << 60])
def test_a_sum_that_is_not_known_exactly_is_not_told(micros: int) -> None:
    pile, sums = Pile[int](), {1: Sum()}
    pile.add(1, "CNY", [1, *[0] * (len(COUNTS) - 1), micros])
    if abs(micros) < EXACT_BELOW or engine().dialect.name == "sqlite":  # which adds up no doubles
        pile.into(sums)
        assert sums[1].costs == {"CNY": micros}
    else:
        with pytest.raises(OverflowError):
            pile.into(sums)
