"""For how long conversations and the audit log are kept: a setting of the site, with others for some groups."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, table_of, utc_now
from flask_app.errors import Conflict, Invalid
from flask_app.models import Group, Setting, User
from flask_app.services.audit import audit_retention, audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_retention
from flask_app.services.ledger import shared_clock

NAME = "retention"
MOST = 3650  # days
AUDIT_LEAST = 90

_users = table_of(User)
_STORED = select(Setting.value).where(Setting.name == NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Days since the last message, None: for good. `groups` are those that have a rule of their own, by their ids.

    `audit_days` is for the audit log.
    """

    days: int | None = None
    groups: Mapping[str, int | None] = field(default_factory=dict)
    audit_days: int | None = None

    def of(self, group_id: str) -> int | None:
        return self.groups.get(group_id, self.days)

    @property
    def has_rules(self) -> bool:
        return any(days is not None for days in (self.days, *self.groups.values()))

    def rules(self, now: datetime) -> list[tuple[datetime, ColumnElement[bool]]]:
        """Before which moment a last message is too old, for whom."""
        whole = [(self.days, _users.c.group_id.not_in(list(self.groups)))]
        each = [(days, _users.c.group_id == group_id) for group_id, days in sorted(self.groups.items())]
        return [(now - timedelta(days=days), whose) for days, whose in (*whole, *each) if days is not None]


@dataclass(frozen=True, slots=True)
class Doomed:
    """What a setting would remove at once."""

    conversations: int = 0
    people: int = 0
    entries: int = 0


def kept() -> Kept:
    with fetching() as connection:
        return _read(connection.scalar(_STORED))


def change(actor: Actor, wanted: Kept, *, is_confirmed: bool) -> Kept:
    """From the next round of the upkeep on; a group that was deleted meanwhile is left out.

    Raises Invalid, Conflict("retention_removes") with how much is too old already, unless that `is_confirmed`.
    """
    _check(wanted)
    if not is_confirmed and (doomed := count(wanted)) != Doomed():
        raise Conflict(
            "retention_removes", conversations=doomed.conversations, people=doomed.people, entries=doomed.entries
        )

    def work(session: Session) -> Kept:
        stored = session.get(Setting, NAME, with_for_update=True)
        before = _read(stored.value if stored else None)
        after = replace(wanted, groups=_of_living_groups(session, wanted, before))
        session.merge(Setting(name=NAME, value=json.dumps(_told(after))))
        if difference := audit_service.difference(_told(before), _told(after)):
            audit_service.record(session, actor.user, "retention.change", NAME, difference, actor.address)
        return after

    return in_transaction(work)


def count(wanted: Kept) -> Doomed:
    """What `wanted` would remove now."""
    now = utc_now()
    conversations, people = conversation_retention.count(wanted.rules(now))
    entries = audit_retention.count(now - timedelta(days=wanted.audit_days)) if wanted.audit_days else 0
    return Doomed(conversations, people, entries)


def prune() -> None:
    """Remove what is too old, a part of it each time: by one process of all."""
    found = kept()
    if not (found.has_rules or found.audit_days):
        return
    with fetching() as connection:
        now = shared_clock.ask(connection)  # one instance's own may be a year ahead
    if not conversation_retention.take_turn(now):
        return
    conversation_retention.remove(found.rules(now))
    if found.audit_days:
        audit_retention.remove(now - timedelta(days=found.audit_days))


def _check(wanted: Kept) -> None:
    days = [each for each in (wanted.days, *wanted.groups.values()) if each is not None]
    if not all(0 < each <= MOST for each in days):
        raise Invalid("bad_days_kept", limit=MOST)
    if wanted.audit_days is not None and not AUDIT_LEAST <= wanted.audit_days <= MOST:
        raise Invalid("bad_audit_retention", least=AUDIT_LEAST, limit=MOST)


def _of_living_groups(session: Session, wanted: Kept, before: Kept) -> Mapping[str, int | None]:
    """Raises Invalid("unknown_group"), but not for one that had a rule."""
    known = set(session.scalars(select(Group.id).where(Group.id.in_(list(wanted.groups)))))
    if not wanted.groups.keys() <= known | before.groups.keys():
        raise Invalid("unknown_group")
    return {group_id: days for group_id, days in wanted.groups.items() if group_id in known}


def _read(stored: str | None) -> Kept:
    return Kept(**json.loads(stored)) if stored else Kept()


def _told(kept: Kept) -> dict[str, object]:
    return {"days": kept.days, "groups": dict(kept.groups), "audit_days": kept.audit_days}
