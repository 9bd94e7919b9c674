"""The days that `flask usage verify` looks at: of the others neither the ledger nor the roll-up knows anything."""

from collections.abc import Iterator

from sqlalchemy import bindparam, func, select, union_all
from sqlalchemy.engine import Connection

from flask_app.column_types import UtcDateTime
from flask_app.database import fetching, table_of
from flask_app.domain.periods import QUARTERS_A_DAY, Period, moment_of, quarter_of
from flask_app.models import Attempt, TokenUsage
from flask_app.services.ledger.rollup import RETIRED, SLICES, rollup

_ledger, _attempts = table_of(TokenUsage), table_of(Attempt)
_SLICES = (*(each for each in SLICES if each.size <= QUARTERS_A_DAY), *RETIRED)
_since = bindparam("since", type_=UtcDateTime())
# What comes first from somewhere on: each of them one look into an index.
_ENTRY = select(func.min(_ledger.c.created_at)).where(_ledger.c.created_at >= _since)
_SETTLED = select(func.min(_attempts.c.created_at)).where(
    _attempts.c.state == "settled", _attempts.c.created_at >= _since
)
_ROWS = union_all(
    *(
        select(func.min(rollup.c.block) * each.size).where(
            rollup.c.slice == each.name, rollup.c.block >= bindparam(each.name)
        )
        for each in _SLICES
    )
)


def used_days(period: Period) -> Iterator[Period]:
    """Those of UTC in a period of whole days that have an entry, a settled attempt, or a row of a slice."""
    start = period.start
    while start < period.end:
        with fetching() as connection:
            first = _first_from(connection, start)
        if first is None or first >= period.end:
            return
        day = first - first % QUARTERS_A_DAY
        start = day + QUARTERS_A_DAY
        yield Period(day, start)


def _first_from(connection: Connection, quarter: int) -> int | None:
    """The quarter of the first thing that there is in this one or later."""
    moments = [connection.scalar(query, {"since": moment_of(quarter)}) for query in (_ENTRY, _SETTLED)]
    rows = connection.scalars(_ROWS, {each.name: quarter // each.size for each in _SLICES})
    found = [quarter_of(moment) for moment in moments if moment is not None]
    return min([*found, *(row for row in rows if row is not None)], default=None)
