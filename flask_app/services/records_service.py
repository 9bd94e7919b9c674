"""The ledger's entries themselves, the newest first, page by page."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from flask_app.database import reading
from flask_app.errors import BadRequest
from flask_app.models import ApiKey, ChatModel, Provider, TokenUsage, User
from flask_app.services import names
from flask_app.services.stats_service import DateRange, within, zone_of

PAGE, MAX_PAGE = 50, 200
MAX_WORD = 128
OUTCOMES = ("complete", "stopped", "interrupted", "failed")

_CURSOR = re.compile(r"[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Record:
    """An entry with the names of what it refers to, where they still exist."""

    entry: TokenUsage
    username: str | None
    provider: str | None
    key_label: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Records and the cursor of the page after; None at the end."""

    records: list[Record]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to search for; None is anything. `user` is an id or part of a name, `key` an id, dates are local."""

    user: str | None = None
    model: str | None = None
    key: str | None = None
    outcome: str | None = None
    dates: DateRange = field(default_factory=DateRange)


def own(actor: User, *, before: str | None = None, limit: int = PAGE) -> Page:
    """A person's own records."""
    return _page([TokenUsage.user_id == actor.id], before, limit)


def search(reader: User, wanted: Filter, *, before: str | None = None, limit: int = PAGE) -> Page:
    """Everybody's records that fit. Raises BadRequest for an unknown outcome, a backwards range, a bad cursor."""
    if wanted.outcome is not None and wanted.outcome not in OUTCOMES:
        raise BadRequest("unknown_outcome", known=", ".join(OUTCOMES))
    if any(len(word or "") > MAX_WORD for word in (wanted.user, wanted.model, wanted.key)):
        raise BadRequest("search_too_long", limit=MAX_WORD)
    exact = {"model": wanted.model, "key_id": wanted.key, "outcome": wanted.outcome}
    conditions = [getattr(TokenUsage, column) == value for column, value in exact.items() if value is not None]
    if wanted.user is not None:
        conditions.append(TokenUsage.user_id.in_(_people(wanted.user)))
    return _page([*conditions, *within(wanted.dates, zone_of(reader))], before, limit)


def known_models() -> list[str]:
    """The names of the models that are or were listed."""
    with reading() as session:
        return list(session.scalars(select(ChatModel.name).distinct().order_by(ChatModel.name)))


def known_keys() -> list[ApiKey]:
    """Every key that ever was, deleted ones too: the ledger names them."""
    with reading() as session:
        return list(session.scalars(select(ApiKey).order_by(ApiKey.label, ApiKey.id)))


def _people(wanted: str) -> Any:
    part_of_name = User.username_key.contains(names.key(wanted), autoescape=True)
    return select(User.id).where(or_(User.id == wanted, part_of_name))


def _page(conditions: list[ColumnElement[bool]], before: str | None, limit: int) -> Page:
    if not 0 < limit <= MAX_PAGE:
        raise BadRequest("bad_limit", limit=MAX_PAGE)
    query = (
        select(TokenUsage, User.username, Provider.name, ApiKey.label)
        .outerjoin(User, User.id == TokenUsage.user_id)
        .outerjoin(Provider, Provider.id == TokenUsage.provider_id)
        .outerjoin(ApiKey, ApiKey.id == TokenUsage.key_id)
        .where(*conditions)
        .order_by(TokenUsage.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        if not _CURSOR.fullmatch(before):
            raise BadRequest("bad_cursor")
        query = query.where(TokenUsage.id < before)
    with reading() as session:
        records = [Record(*row) for row in session.execute(query)]
    return Page(records[:limit], records[limit - 1].entry.id if len(records) > limit else None)
