"""What people quote or choose to find entries by, as conditions on the ledger: an id, a channel, an access token."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select

from flask_app.database import first_id, is_id, reading, utc_now
from flask_app.database import moment_of as made_at
from flask_app.domain.periods import QUARTERS_A_DAY, moment_of
from flask_app.errors import BadRequest
from flask_app.models import AccessToken, Attempt, TokenUsage
from flask_app.services.ledger.rollup import DETAIL_DAY, SITE_DAY, rollup
from flask_app.services.usage.slices import rows

CHANNELS = ("chat", "api", "title", "search", "document")
CLOCKS_APART = timedelta(days=1)  # an attempt's id is of its instance's clock, its record's time of the shared one
# So long ago may a request be whose id a proxy made: that tells nothing of when it was.
QUOTED = timedelta(days=3)
ASKING = timedelta(hours=1)  # within which a request begins the last of its attempts, also where a clock was set

Conditions = list[ColumnElement[bool]]

# Holds for no entry. Beside `false()` SQLAlchemy would leave out the conditions that join tables, and warn of that.
NOTHING: Conditions = [TokenUsage.id.is_(None)]


def of_id(wanted: str | None) -> list[Conditions]:
    """Whose own id it is, or their attempt's, or their request's: one of them is meant.

    No index knows requests: one is looked for among the attempts of its time, which their keys have in order.
    """
    if wanted is None:
        return [[]]
    own: list[Conditions] = [[TokenUsage.id == wanted], [TokenUsage.attempt_id == wanted]]
    with reading() as session:
        if any(session.scalar(select(TokenUsage.id).where(*each).limit(1)) for each in own):
            return own
        asked = [Attempt.request_id == wanted, *_of_its_time(wanted)]
        attempts = session.scalars(select(Attempt.id).where(*asked)).all()
    return [[TokenUsage.attempt_id.in_(attempts)]] if attempts else [NOTHING]


def _of_its_time(request_id: str) -> list[ColumnElement[bool]]:
    """When attempts of the request were begun: an id of this site's own tells when it was made."""
    if not is_id(request_id):
        return [Attempt.id >= first_id(utc_now() - QUOTED)]
    made = made_at(request_id)
    return [Attempt.id >= first_id(made - ASKING), Attempt.id < first_id(made + ASKING)]


def check_channel(wanted: str | None) -> None:
    """Raises BadRequest("unknown_channel")."""
    if wanted is not None and wanted not in CHANNELS:
        raise BadRequest("unknown_channel", known=", ".join(CHANNELS))


def on_its_days(named: Mapping[str, str | None], user_id: str | None, *, estimated: bool) -> Conditions:
    """The roll-up knows from which day to which this model, key and channel (None: any) were used, by one person or by
    anybody, or also estimated: no other day is read.
    """
    with_it = [rollup.c[name] == value for name, value in named.items() if value is not None]
    if estimated:
        with_it.append(rollup.c.estimated_requests > 0)
    of_days = rows(DETAIL_DAY if user_id else SITE_DAY, user_id)
    used = select(func.min(rollup.c.block), func.max(rollup.c.block)).where(*of_days, *with_it)
    with reading() as session:
        first, last = session.execute(used).one()
    if first is None:
        return NOTHING
    begin, end = moment_of(first * QUARTERS_A_DAY), moment_of((last + 1) * QUARTERS_A_DAY)
    return [TokenUsage.created_at >= begin, TokenUsage.created_at < end]


def of_token(wanted: str | None) -> list[Conditions]:
    """Those of its person since it was made, which only programs ask with.

    Entries of before its limits leave the token to their attempt.
    """
    if wanted is None:
        return [[]]
    with reading() as session:
        token = session.get(AccessToken, wanted)
    if token is None:  # its person left, which their entries do not
        return [[TokenUsage.token_id == wanted]]
    its_persons = [
        TokenUsage.channel == "api",
        TokenUsage.user_id == token.user_id,
        TokenUsage.created_at >= token.created_at,
    ]
    attempt = select(Attempt.id).where(Attempt.id == TokenUsage.attempt_id, Attempt.token_id == wanted)
    left_to_attempt = [TokenUsage.token_id.is_(None), attempt.exists()]
    return [[TokenUsage.token_id == wanted, *its_persons], [*left_to_attempt, *its_persons]]
