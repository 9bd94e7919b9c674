"""How many records a search finds, from the roll-up: what a file of them will hold."""

from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import User
from flask_app.services.ledger.rollup import DETAIL, DETAIL_DAY, DETAIL_MONTH, SITE_DAY, SITE_MONTH, rollup
from flask_app.services.usage import slices
from flask_app.services.usage.record_search import Filter
from flask_app.services.usage.stats_service import period_of, zone_of
from flask_app.services.usage.sums import whole_sum

_COUNT = select(whole_sum(rollup.c.requests + rollup.c.refunds).label("counted"))


def expected(reader: User, wanted: Filter, user_id: str | None = None) -> int | None:
    """One person's or everybody's that fit; None for what the roll-up does not tell apart.

    Raises BadRequest for a backwards range.
    """
    if wanted.user or wanted.group or wanted.outcome or wanted.provenance or wanted.token or wanted.id:
        return None
    exact = {"model": wanted.model, "key_id": wanted.key, "channel": wanted.channel}
    query = _COUNT.where(*(rollup.c[name] == value for name, value in exact.items() if value is not None))
    coarse = (SITE_MONTH, SITE_DAY) if user_id is None else (DETAIL_MONTH, DETAIL_DAY)
    parts = slices.of_period(query, (*coarse, DETAIL), period_of(wanted.dates, zone_of(reader)), user_id)
    with reading() as session:
        return sum(row.counted or 0 for row in session.execute(parts))
