"""The ledger's entries themselves, the newest first, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from flask_app import offload
from flask_app.database import is_id, reading
from flask_app.errors import BadRequest, NotFound
from flask_app.models import AccessToken, ApiKey, Attempt, ChatModel, Provider, Tariff, TokenUsage, User
from flask_app.services.people import names
from flask_app.services.queries import paging
from flask_app.services.usage.record_search import ANYTHING, ITS_REFUND, Conditions, Filter, Refund, Search, conditions

PAGE, MAX_PAGE = 50, 200
FEW = 20  # people whose entries are looked for one by one

_NEWEST = (TokenUsage.created_at.desc(), TokenUsage.id.desc())
_Earlier = aliased(Attempt)
# A run's attempts up to the entry's own; what it looked up on the web is counted apart. What is no run has been asked
# once.
_OF_RUN = (_Earlier.run_id == Attempt.run_id, _Earlier.channel == Attempt.channel)
_EARLIER = select(func.count()).where(*_OF_RUN, _Earlier.created_at <= Attempt.created_at)
_ATTEMPTS = case((Attempt.run_id.is_(None), 1), else_=_EARLIER.correlate(Attempt).scalar_subquery())
_RECORDS = (
    select(
        TokenUsage,
        User.username,
        Provider.name,
        ApiKey.label,
        Refund.created_at,
        Refund.reason,
        _ATTEMPTS,
        Tariff,
        Attempt.request_id,
        AccessToken.name,
        Attempt.unread,
    )
    .outerjoin(User, User.id == TokenUsage.user_id)
    .outerjoin(Provider, Provider.id == TokenUsage.provider_id)
    .outerjoin(ApiKey, ApiKey.id == TokenUsage.key_id)
    .outerjoin(Refund, ITS_REFUND)
    .outerjoin(Attempt, Attempt.id == TokenUsage.attempt_id)
    .outerjoin(Tariff, Tariff.id == TokenUsage.tariff_id)
    .outerjoin(AccessToken, AccessToken.id == Attempt.token_id)
    .order_by(*_NEWEST)
)


@dataclass(frozen=True, slots=True)
class Record:
    """An entry with the names of what it refers to, where they still exist.

    `refunded_at` and `reason` are those of its refund, or its own where it is one. `attempts` counts the requests to
    providers that the answer took. `tariff` is what priced it. `request_id` is that of the browser's or the
    program's request, `token_name` the access token's that a program asked with. `unread`: nobody followed the answer
    when it ended.
    """

    entry: TokenUsage
    username: str | None
    provider: str | None
    key_label: str | None
    refunded_at: datetime | None
    reason: str | None
    attempts: int
    tariff: Tariff | None
    request_id: str | None
    token_name: str | None
    unread: bool | None

    @property
    def provenance(self) -> str:
        """Where the figures are from: one of PROVENANCES. "partial" is an estimate of what came before it broke off."""
        if self.refunded_at is not None:
            return "refunded"
        if self.entry.source == "reported":
            return "reported"
        return "estimated" if self.entry.outcome == "complete" else "partial"


@dataclass(frozen=True, slots=True)
class Page:
    """Records and the cursor of the page after; None at the end."""

    records: list[Record]
    next: str | None


def own(actor: User, wanted: Filter = ANYTHING, *, before: str | None = None, limit: int = PAGE) -> Page:
    """A person's own records that fit. Raises BadRequest as `search` does, and for a cursor of others' pages."""
    return _page(conditions(actor, wanted, actor.id), before, limit, [actor.id])


def search(reader: User, wanted: Filter, *, before: str | None = None, limit: int = PAGE) -> Page:
    """Everybody's records that fit. Raises BadRequest for an unknown outcome or channel, a bad range or cursor."""
    wanted_of, people = conditions(reader, wanted), _people(wanted)
    return Page([], None) if people == [] else _page(wanted_of, before, limit, people)


def every_own(actor: User, wanted: Filter) -> Iterator[list[Record]]:
    """All of a person's own records that fit, page by page; no connection is held between pages."""
    return _pages(conditions(actor, wanted, actor.id), [actor.id])


def every(reader: User, wanted: Filter) -> Iterator[list[Record]]:
    """The same of everybody's."""
    return _pages(conditions(reader, wanted), _people(wanted))


def _pages(conditions: Search, people: Sequence[str] | None) -> Iterator[list[Record]]:
    before = None
    while people != []:
        page = _page(conditions, before, MAX_PAGE, people)
        yield page.records
        if page.next is None:
            return
        before = page.next
        offload.give_way()  # a reader that keeps up would not


def get(record_id: str) -> Record:
    """One record; raises NotFound."""
    with reading() as session:
        row = session.execute(_RECORDS.where(TokenUsage.id == record_id)).one_or_none()
    if row is None:
        raise NotFound
    return Record(*row)


def known_models() -> list[str]:
    """The names of the models that are or were listed."""
    with reading() as session:
        return list(session.scalars(select(ChatModel.name).distinct().order_by(ChatModel.name)))


def known_keys() -> list[ApiKey]:
    """Every key that ever was, deleted ones too: the ledger names them."""
    with reading() as session:
        return list(session.scalars(select(ApiKey).order_by(ApiKey.label, ApiKey.id)))


def _people(wanted: Filter) -> list[str] | None:
    """Whose records they are; None is everybody's."""
    query = select(User.id)
    if wanted.user is not None:
        part_of_name = User.username_key.contains(names.key(wanted.user), autoescape=True)
        query = query.where(or_(User.id == wanted.user, part_of_name))
    if wanted.group is not None:
        query = query.where(User.group_id == wanted.group)
    if wanted.user is None and wanted.group is None:
        return None
    with reading() as session:
        found = list(session.scalars(query))
    gone = wanted.user if wanted.group is None and wanted.user and is_id(wanted.user) else None  # their entries stay
    return found if gone is None or gone in found else [*found, gone]


def _page(wanted: Search, before: str | None, limit: int, people: Sequence[str] | None) -> Page:
    """Ids are searched for in the indexes alone; only those of the page are looked up.

    In two statements: the first has many shapes, as many as filters go together, and is to be short for each.
    """
    paging.checked_limit(limit, MAX_PAGE)
    with reading() as session:
        older: Conditions = _older(session, before, people) if before else []
        if wanted.given_back:
            wanted = _with_given_back(session, wanted, older, people, limit + 1)
        found = session.scalars(_ids(wanted, older, people, limit + 1)).all()
        records = [Record(*row) for row in session.execute(_RECORDS.where(TokenUsage.id.in_(found)))]
    return Page(records[:limit], records[limit - 1].entry.id if len(records) > limit else None)


def _with_given_back(
    session: Session, wanted: Search, older: Conditions, people: Sequence[str] | None, limit: int
) -> Search:
    """What is given back was asked before its refund. So where refunds alone fill a page, none that was given back
    before the last of them is on it. One person's or one token's are few enough without.
    """
    is_narrow = people is not None or len(wanted.any_of) > 1
    last = None if is_narrow else session.execute(_ids(wanted, older, people, limit).offset(limit - 1)).first()
    since = [] if last is None else [TokenUsage.created_at >= last.created_at, Refund.created_at >= last.created_at]
    return replace(wanted, any_of=[*wanted.any_of, *([*each, *since] for each in wanted.given_back)])


def _older(session: Session, before: str, people: Sequence[str] | None) -> list[ColumnElement[bool]]:
    """What comes after the entry `before` in the order of pages; somebody else's entry is as good as none."""
    last = session.execute(select(TokenUsage.created_at, TokenUsage.user_id).where(TokenUsage.id == before)).first()
    if last is None or (people is not None and last.user_id not in people):
        raise BadRequest("bad_cursor")
    earlier = or_(TokenUsage.created_at < last.created_at, TokenUsage.id < before)
    return [TokenUsage.created_at <= last.created_at, earlier]


def _ids(wanted: Search, older: Conditions, people: Sequence[str] | None, limit: int) -> Any:
    """The newest entries' ids. Of a few people each one's newest are looked for: their indexes have them in order. So
    are those of each outcome of a model or a key.

    What is refunded is found by the refunds, whoever's they are.
    """
    every = [[*each, *older] for each in wanted.any_of]
    if wanted.outcomes and (people is None or len(people) > FEW):
        every = [[*each, TokenUsage.outcome == outcome] for each in every for outcome in wanted.outcomes]
    queries = [select(TokenUsage.id, TokenUsage.created_at).where(*each) for each in every]
    if people is not None and (len(people) > FEW or len(queries) > 1):
        queries = [query.where(TokenUsage.user_id.in_(people)) for query in queries]
    elif people is not None:
        queries = [query.where(TokenUsage.user_id == user_id) for query in queries for user_id in people]
    newest = [query.order_by(*_NEWEST).limit(limit) for query in queries]
    if len(newest) == 1:
        return newest[0]
    together = union_all(*(query.subquery().select() for query in newest)).subquery()
    return together.select().order_by(together.c.created_at.desc(), together.c.id.desc()).limit(limit)
