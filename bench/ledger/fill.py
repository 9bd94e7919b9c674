"""A database with two years of use: people, prices, the ledger, its attempts, and all that is added up from it."""

from collections.abc import Callable
from datetime import datetime

from bench.ledger import cast, store, story
from flask_app import database


def fill(rows: int, seed: int, until: datetime, tell: Callable[[str], object] = str) -> None:
    """Write `rows` answers of the two years up to `until` into the connected, migrated and otherwise empty database.

    Refunds and refused attempts come on top.
    """
    drawn = cast.draw(seed, until)
    with database.writing() as connection:
        cast.write(connection, drawn)
    plan = story.plan(drawn, rows, seed, until)
    for number, _ in enumerate(store.write(plan), start=1):
        tell(f"filled {number} of {len(plan.cells)}")
