"""Assistants that come in, each that is not here yet: with its model where that is here, and the documents it knows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, table_of, utc_now
from flask_app.domain import files
from flask_app.domain.serving import Allowed
from flask_app.errors import AppError, Invalid
from flask_app.models import Assistant, AssistantFile, Group, KeptFile, User
from flask_app.services.assistants import assistant_terms, known_files
from flask_app.services.budgets import budget_service
from flask_app.services.files import message_files
from flask_app.services.portability import belongings, import_quota
from flask_app.services.portability.belongings import IMPORTED, KNOWN, REFUSED, BroughtAssistant, Outcome
from flask_app.services.portability.import_quota import More

_assistants, _known, _files = table_of(Assistant), table_of(AssistantFile), table_of(KeptFile)
_quota = select(table_of(Group).c.file_quota_mb)
_TOLD = ("name", "icon", "instructions", "model", "thinking")
_OWN = select(*(_assistants.c[name] for name in ("id", *_TOLD)))


class _Checked(NamedTuple):
    """What can be kept of one, or why it cannot. `lacks`: its model is not here, or not for this person."""

    brought: BroughtAssistant
    columns: dict[str, Any]
    code: str | None = None
    lacks: bool = False


class _Decided(NamedTuple):
    """With its row, where it comes in, and the documents that go with it."""

    outcome: Outcome
    row: dict[str, Any] | None = None
    files: Sequence[dict[str, Any]] = ()


def look(actor: User, assistants: Sequence[BroughtAssistant], allowed: Allowed = None) -> list[Outcome]:
    """What would become of these; nothing is written."""
    checked = [_checked(each, allowed) for each in assistants]
    with fetching() as connection:
        return [each.outcome for each in _decided(connection, actor, checked, utc_now())]


def bring_in(
    actor: User,
    assistants: Sequence[BroughtAssistant],
    contents: Mapping[str, str] | None = None,
    allowed: Allowed = None,
) -> list[Outcome]:
    """Write them, all in one transaction: what is refused stops none of the others.

    `contents` says of the documents that they know, by their ids there, which one of the person's own each is here.

    Raises TooMany("import_too_much_today"), Forbidden("account_disabled") and SignInRequired.
    """
    checked, now = [_checked(each, allowed) for each in assistants], utc_now()

    def work(connection: Connection) -> list[Outcome]:
        budget_service.take_turn(connection, actor.id)  # those of the same moment are counted one by one
        import_quota.require_active(connection, actor.id)
        decided = [
            _with_files(connection, actor, each, told.brought.files, contents or {}, now)
            for each, told in zip(_decided(connection, actor, checked, now), checked, strict=True)
        ]
        if rows := [each.row for each in decided if each.row]:
            size = sum(len(row["instructions"].encode()) for row in rows)
            import_quota.count(connection, actor.id, [], More(len(rows), size), now)
            connection.execute(insert(_assistants), rows)
        if known := [row for each in decided for row in each.files]:
            connection.execute(insert(_known), known)
        return [each.outcome for each in decided]

    return in_writing(work)


def _checked(brought: BroughtAssistant, allowed: Allowed) -> _Checked:
    told = {"name": brought.name, "icon": brought.icon, "instructions": brought.instructions}
    try:
        columns = assistant_terms.checked({**told, "thinking": brought.thinking}, allowed)  # type: ignore[typeddict-item]
    except Invalid as error:
        return _Checked(brought, {}, error.code)
    try:
        model = assistant_terms.checked({"model": brought.model}, allowed)
    except AppError:  # it is as usual then
        return _Checked(brought, columns | {"model": None}, lacks=True)
    return _Checked(brought, columns | model)


def _decided(connection: Connection, actor: User, assistants: Iterable[_Checked], now: datetime) -> Iterator[_Decided]:
    """What was brought in before is here, whatever it is called now; so is what is the same in each of its fields."""
    own = connection.execute(_OWN.where(_assistants.c.user_id == actor.id)).all()
    ids, same = {row.id for row in own}, {tuple(row)[1:] for row in own}
    for each in assistants:
        brought, made = each.brought, belongings.id_here(actor, each.brought)
        if each.code:
            yield _Decided(Outcome(brought.id, REFUSED, each.code))
        elif brought.id in ids or made in ids or tuple(each.columns[name] for name in _TOLD) in same:
            yield _Decided(Outcome(brought.id, KNOWN))
        elif len(ids) >= assistant_terms.MOST:
            yield _Decided(Outcome(brought.id, REFUSED, "too_many_assistants"))
        else:
            ids.add(made)
            row = {"id": made, "user_id": actor.id, **each.columns, **belongings.moments(brought, now)}
            yield _Decided(Outcome(brought.id, IMPORTED, lacks=each.lacks), row)


def _with_files(
    connection: Connection,
    actor: User,
    decided: _Decided,
    named: Sequence[belongings.KnownFile],
    contents: Mapping[str, str],
    now: datetime,
) -> _Decided:
    """Those that it may know, in their order: of others the conversation with it does without."""
    if decided.row is None or not named:
        return decided
    names = {contents[each.id]: each.name for each in reversed(named) if each.id in contents}
    order = {contents[each.id]: None for each in named if each.id in contents}
    taken = _may_know(connection, actor, list(order), now)
    rows = [
        {"assistant_id": decided.row["id"], "file_id": each, "position": at, "name": files.named(names[each])}
        for at, each in enumerate(taken)
    ]
    lacks = decided.outcome.lacks or len(rows) < len({each.id for each in named})
    return _Decided(Outcome(decided.outcome.id, IMPORTED, lacks=lacks), decided.row, rows)


def _may_know(connection: Connection, actor: User, file_ids: list[str], now: datetime) -> list[str]:
    """Of these the person's own documents, as many as one may know; none where their group may attach no files."""
    if not file_ids or (connection.scalar(_quota.where(table_of(Group).c.id == actor.group_id)) or 0) <= 0:
        return []
    own = message_files.mark(connection, actor, file_ids, now)
    words = (_files.c.stored_bytes - _files.c.bytes).label("words")
    rows = {
        row.id: row for row in connection.execute(select(_files.c.id, _files.c.kind, words).where(_files.c.id.in_(own)))
    }
    taken: list[str] = []
    left = known_files.MOST_WORDS_MB << 20
    for each in file_ids:
        row = rows.get(each)
        if row and row.kind != files.PICTURE and row.words <= left and len(taken) < known_files.MOST:
            taken.append(each)
            left -= row.words
    return taken
