"""The log of programs' requests as people read it: the newest first, by who asked, with what, and how it went."""

from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from flask_app.database import first_id, reading
from flask_app.domain.periods import ENDLESS, moment_of
from flask_app.errors import BadRequest
from flask_app.models import AccessToken, ProgramRequest, TokenUsage, User
from flask_app.services.people import names
from flask_app.services.queries import paging
from flask_app.services.usage.stats_service import DateRange, period_of, zone_of

MAX_WORD = 128
STATUS_CLASSES = {"2xx": 2, "4xx": 4, "5xx": 5}
NOBODY = ""
MANY = 10_000  # to count further costs more than it tells

Conditions = list[ColumnElement[bool]]

_ITS_RECORD = and_(TokenUsage.attempt_id == ProgramRequest.attempt_id, TokenUsage.kind == "usage")
_ROWS = (
    select(ProgramRequest, User.username, AccessToken.name, TokenUsage.id)
    .outerjoin(User, User.id == ProgramRequest.user_id)
    .outerjoin(AccessToken, AccessToken.id == ProgramRequest.token_id)
    .outerjoin(TokenUsage, _ITS_RECORD)
    .order_by(ProgramRequest.id.desc())
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to look for; None is anything. `user` is a person's id or name, `token` a token's id, `status` one of
    STATUS_CLASSES, `error` a code of the gateway, `id` the request's, as its program was told.
    """

    user: str | None = None
    token: str | None = None
    model: str | None = None
    status: str | None = None
    error: str | None = None
    id: str | None = None
    dates: DateRange = field(default_factory=DateRange)


@dataclass(frozen=True, slots=True)
class Found:
    """A request with the names of who asked, and the id of the ledger's record where there is one."""

    request: ProgramRequest
    username: str | None
    token_name: str | None
    record_id: str | None


@dataclass(frozen=True, slots=True)
class Page:
    requests: list[Found]
    next: str | None


def own(actor: User, wanted: Filter, *, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """A person's own requests that fit. Raises BadRequest as `search` does."""
    return search(actor, replace(wanted, user=None), before=before, limit=limit, user_id=actor.id)


def search(
    reader: User,
    wanted: Filter,
    *,
    before: str | None = None,
    limit: int = paging.PAGE,
    user_id: str | None = None,
) -> Page:
    """Everybody's that fit, or one person's. Days are the reader's.

    Raises BadRequest for a status class that there is none of, a bad range, limit or cursor.
    """
    _check(wanted)
    since = _since(zone_of(reader), wanted)
    if before is not None:
        since.append(ProgramRequest.id < paging.checked_id(before))
    newest = select(ProgramRequest.id).order_by(ProgramRequest.id.desc()).limit(paging.checked_limit(limit) + 1)
    with reading() as session:
        asked_by = user_id if wanted.user is None else _person(session, wanted.user)
        if asked_by is not None and wanted.token is not None and _owner(session, wanted.token) != asked_by:
            return Page([], None)  # databases would look through all that was asked with it
        named = _narrowest(session, _named(wanted, asked_by), since)
        ids = session.scalars(newest.where(*named, *since)).all()
        rows = [Found(*row) for row in session.execute(_ROWS.where(ProgramRequest.id.in_(ids[:limit])))]
    return Page(rows, ids[limit - 1] if len(ids) > limit else None)


def _check(wanted: Filter) -> None:
    if wanted.status is not None and wanted.status not in STATUS_CLASSES:
        raise BadRequest("unknown_status_class", known=", ".join(STATUS_CLASSES))
    words = (wanted.user, wanted.token, wanted.model, wanted.error, wanted.id)
    if any(len(word or "") > MAX_WORD for word in words):
        raise BadRequest("search_too_long", limit=MAX_WORD)


def _named(wanted: Filter, user_id: str | None) -> dict[str, object]:
    """What columns must be; first those of which as a rule the fewest are."""
    named: dict[str, object | None] = {
        "request_id": wanted.id,
        "error_code": wanted.error,
        "token_id": wanted.token,
        "user_id": user_id,
        "status_class": None if wanted.status is None else STATUS_CLASSES[wanted.status],
        "model": wanted.model,
    }
    return {name: value for name, value in named.items() if value is not None}


def _narrowest(session: Session, named: dict[str, object], since: Conditions) -> Conditions:
    """All that is named as conditions, of which only the one that fewest fit can be looked up in an index.

    Databases guess which that is, and guess wrong: a rare failure would be looked for among all that went well.
    """
    if len(named) < 2:
        return [_column(name) == value for name, value in named.items()]
    few = [select(ProgramRequest.id).where(_column(name) == value, *since).limit(MANY) for name, value in named.items()]
    counts = select(*(select(func.count()).select_from(each.subquery()).scalar_subquery() for each in few))
    fit = dict(zip(named, session.execute(counts).one(), strict=True))
    rarest = min(named, key=lambda name: fit[name])
    others = [func.coalesce(_column(name), _column(name)) == named[name] for name in named if name != rarest]
    return [_column(rarest) == named[rarest], *others]


def _column(name: str) -> InstrumentedAttribute[Any]:
    found: InstrumentedAttribute[Any] = getattr(ProgramRequest, name)
    return found


def _since(zone: ZoneInfo, wanted: Filter) -> Conditions:
    period = period_of(wanted.dates, zone)
    found: Conditions = []
    if period.start:
        found.append(ProgramRequest.id >= first_id(moment_of(period.start)))
    if period.end != ENDLESS:
        found.append(ProgramRequest.id < first_id(moment_of(period.end)))
    return found


def _owner(session: Session, token_id: str) -> str | None:
    return session.scalar(select(AccessToken.user_id).where(AccessToken.id == token_id))


def _person(session: Session, wanted: str) -> str:
    """Nobody's id where there is no such person."""
    found = select(User.id).where(or_(User.id == wanted, User.username_key == names.key(wanted)))
    return session.scalar(found) or NOBODY
