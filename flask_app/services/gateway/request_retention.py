"""For how many days the log of programs' requests is kept, and who removes what is older.

A setting of the site, with others for the people of some groups.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, first_id, in_writing, table_of
from flask_app.domain.retention import Doomed, shortened
from flask_app.errors import Conflict, Invalid
from flask_app.models import Group, ProgramRequest, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import word_log
from flask_app.services.ledger import shared_clock
from flask_app.services.runs import closing
from flask_app.services.site import stored_settings

NAME, OF_GROUPS = "request_log", "request_log_groups"  # versions before know the first alone
USUAL, MOST = 30, 3650  # days
BATCH = 500  # removed in one transaction
BATCHES = 100  # in one round
PAUSE_SECONDS = 0.05  # between two, for everybody else

_rows, _users = table_of(ProgramRequest), table_of(User)
_STORED = select(Setting.name, Setting.value).where(Setting.name.in_((NAME, OF_GROUPS)))
_IN_THEM = _rows.c.user_id.in_(select(_users.c.id).where(_users.c.group_id.in_(bindparam("groups", expanding=True))))
_is_old = _rows.c.id < bindparam("first")
_OLD = select(_rows.c.id).where(_rows.c.id > bindparam("after"), _is_old).order_by(_rows.c.id).limit(BATCH)
_HOW_MANY = select(func.count()).select_from(_rows).where(_is_old)
_REMOVE = delete(_rows).where(_rows.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Kept:
    """For how many `days`. `groups` have others for their people, by the groups' ids."""

    days: int = USUAL
    groups: Mapping[str, int] = field(default_factory=dict)

    def of(self, group_id: str) -> int:
        return self.groups.get(group_id, self.days)


def kept() -> Kept:
    with fetching() as connection:
        return _read({row.name: row.value for row in connection.execute(_STORED)})


def keep_for(actor: Actor, wanted: Kept, *, is_confirmed: bool) -> Kept:
    """From the next round of upkeep on; a group that was deleted meanwhile is left out.

    Raises Invalid("bad_retention"), Invalid("unknown_group"), Conflict("retention_removes") with how much is too old
    already, unless that `is_confirmed`.
    """
    if not all(0 < days <= MOST for days in (wanted.days, *wanted.groups.values())):
        raise Invalid("bad_retention", limit=MOST)
    if not is_confirmed and (requests := _count(wanted, kept())):
        raise Conflict("retention_removes", **asdict(Doomed(requests=requests)))

    def work(session: Session) -> Kept:
        known = set(session.scalars(select(Group.id).where(Group.id.in_(list(wanted.groups)))))
        found = stored_settings.locked(session, NAME, OF_GROUPS)
        before = _read(found)
        if not wanted.groups.keys() <= known | before.groups.keys():
            raise Invalid("unknown_group")
        after = Kept(wanted.days, {each: days for each, days in wanted.groups.items() if each in known})
        stored = {NAME: str(after.days), OF_GROUPS: json.dumps(dict(after.groups))}
        stored_settings.keep(session, found, stored)
        if difference := audit_service.difference(_told(before), _told(after)):
            audit_service.record(session, actor.user, "requests.retention", NAME, difference, actor.address)
        return after

    return stored_settings.in_turn(work)


def _count(wanted: Kept, before: Kept) -> int:
    """How many `wanted` would remove now, of those whose rule keeps less than before."""
    apart = sorted(wanted.groups.keys() | before.groups.keys())
    rules = [([~_IN_THEM] if apart else [], apart, shortened(wanted.days, before.days))]
    rules += [([_IN_THEM], [each], shortened(wanted.of(each), before.of(each))) for each in apart]
    now, found = shared_clock.shared(), 0
    with fetching() as connection:
        for whose, groups, days in rules:
            if days is None:
                continue
            terms = {"first": first_id(now - timedelta(days=days))} | ({"groups": groups} if groups else {})
            found += connection.scalar(_HOW_MANY.where(*whose), terms) or 0
    return found


def count_of(whose: ColumnElement[bool], days: int) -> int:
    """How many of these people's are older than so many days."""
    theirs = _rows.c.user_id.in_(select(_users.c.id).where(whose))
    with fetching() as connection:
        terms = {"first": first_id(shared_clock.shared() - timedelta(days=days))}
        return connection.scalar(_HOW_MANY.where(theirs), terms) or 0


def prune() -> None:
    """Remove what is too old, a little at a time; what a round does not come to is left to the next."""
    with fetching() as connection:
        now = shared_clock.ask(connection)  # this process's own may be months ahead
    for whose, groups, days in _rules(kept()):
        query = _OLD.where(*whose)
        after, terms = "", {"first": first_id(now - timedelta(days=days))} | ({"groups": groups} if groups else {})
        for _ in range(BATCHES):
            with fetching() as connection:
                found = connection.scalars(query, {"after": after, **terms}).all()
            if not found or closing.is_closed():
                break
            _remove(found)
            after = found[-1]
            time.sleep(PAUSE_SECONDS)


def _rules(found: Kept) -> Iterator[tuple[list[ColumnElement[bool]], list[str], int]]:
    """Whose is too old, of the people of which groups, after how many days. Who is gone counts with everybody else."""
    apart = list(found.groups)
    yield ([~_IN_THEM] if apart else []), apart, found.days
    for group_id, days in sorted(found.groups.items()):
        yield [_IN_THEM], [group_id], days


def _remove(ids: Sequence[str]) -> None:
    def work(connection: Connection) -> None:
        connection.execute(_REMOVE, {"ids": list(ids)})
        word_log.forget_with_log(connection, ids)

    in_writing(work)


def _read(stored: Mapping[str, str]) -> Kept:
    return Kept(int(stored.get(NAME, USUAL)), json.loads(stored.get(OF_GROUPS, "{}")))


def _told(kept: Kept) -> dict[str, object]:
    return {"days": kept.days, "groups": dict(kept.groups)}
