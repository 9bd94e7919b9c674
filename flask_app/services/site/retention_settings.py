"""For how long conversations, files and the audit log are kept: a setting of the site, with others for some groups."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of
from flask_app.domain.retention import Doomed, shortened
from flask_app.errors import Conflict, Invalid
from flask_app.models import Group, Setting, User
from flask_app.services.audit import audit_retention, audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_retention
from flask_app.services.files import file_expiry
from flask_app.services.ledger import shared_clock
from flask_app.services.site import stored_settings

NAME, OF_FILES = "retention", "file_retention"  # versions before know the first alone, and its three fields
MOST = 3650  # days
AUDIT_LEAST = 90

_users = table_of(User)
_STORED = select(Setting.name, Setting.value).where(Setting.name.in_((NAME, OF_FILES)))

Rules = list[tuple[datetime, ColumnElement[bool]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Days since the last message, None: for good. `groups` are those that have a rule of their own, by their ids.

    `file_days` and `file_groups` are the same for the contents of files, since they were last attached.
    `audit_days` is for the audit log.
    """

    days: int | None = None
    groups: Mapping[str, int | None] = field(default_factory=dict)
    file_days: int | None = None
    file_groups: Mapping[str, int | None] = field(default_factory=dict)
    audit_days: int | None = None

    @property
    def keeps_everything(self) -> bool:
        found = (self.days, *self.groups.values(), self.file_days, *self.file_groups.values(), self.audit_days)
        return all(days is None for days in found)

    def of(self, group_id: str) -> int | None:
        return self.groups.get(group_id, self.days)

    def file_rule(self, group_id: str) -> int | None:
        return self.file_groups.get(group_id, self.file_days)

    def of_files(self, group_id: str) -> int | None:
        """None, too, where their conversations are gone by then."""
        days, talks = self.file_rule(group_id), self.of(group_id)
        return days if days is not None and (talks is None or days < talks) else None

    def rules(self, now: datetime) -> Rules:
        """Before which moment a last message is too old, for whom."""
        return _rules(now, self.days, self.groups)

    def file_rules(self, now: datetime) -> Rules:
        """The same of when a file was last attached."""
        return _rules(now, self.file_days, self.file_groups)


def kept() -> Kept:
    with fetching() as connection:
        return _read({row.name: row.value for row in connection.execute(_STORED)})


def change(actor: Actor, wanted: Kept, *, is_confirmed: bool) -> Kept:
    """From the next round of the upkeep on; a group that was deleted meanwhile is left out.

    Raises Invalid, Conflict("retention_removes") with how much is too old already, unless that `is_confirmed`.
    """
    _check(wanted)
    if not is_confirmed and (doomed := _count(_shorter(wanted, kept()))) != Doomed():
        raise Conflict("retention_removes", **asdict(doomed))

    def work(session: Session) -> Kept:
        found = stored_settings.locked(session, NAME, OF_FILES)
        before = _read(found)
        after = _of_living_groups(session, wanted, before)
        stored_settings.keep(session, found, {name: json.dumps(value) for name, value in _stored(after).items()})
        if difference := audit_service.difference(_told(before), _told(after)):
            audit_service.record(session, actor.user, "retention.change", NAME, difference, actor.address)
        return after

    return stored_settings.in_turn(work)


def _shorter(wanted: Kept, before: Kept) -> Kept:
    """What of it keeps less than before, and for good whatever does not."""
    groups = wanted.groups.keys() | before.groups.keys()
    file_groups = wanted.file_groups.keys() | before.file_groups.keys()
    return Kept(
        days=shortened(wanted.days, before.days),
        groups={each: shortened(wanted.of(each), before.of(each)) for each in groups},
        file_days=shortened(wanted.file_days, before.file_days),
        file_groups={each: shortened(wanted.file_rule(each), before.file_rule(each)) for each in file_groups},
        audit_days=shortened(wanted.audit_days, before.audit_days),
    )


def _count(wanted: Kept) -> Doomed:
    """What `wanted` would remove now."""
    now = shared_clock.shared()
    conversations, people = conversation_retention.count(wanted.rules(now))
    entries = audit_retention.count(now - timedelta(days=wanted.audit_days)) if wanted.audit_days else 0
    files, file_people = file_expiry.count(wanted.file_rules(now))
    return Doomed(conversations, people, entries, files, file_people)


def prune() -> None:
    """Remove what is too old, a part of it each time: by one process of all."""
    found = kept()
    if found.keeps_everything:
        return
    with fetching() as connection:
        now = shared_clock.ask(connection)  # one instance's own may be a year ahead
    if not conversation_retention.take_turn(now):
        return
    conversation_retention.remove(found.rules(now))
    file_expiry.remove(found.file_rules(now))
    if found.audit_days:
        audit_retention.remove(now - timedelta(days=found.audit_days))


def _check(wanted: Kept) -> None:
    for days, groups, code in (
        (wanted.days, wanted.groups, "bad_days_kept"),
        (wanted.file_days, wanted.file_groups, "bad_file_days"),
    ):
        if not all(each is None or 0 < each <= MOST for each in (days, *groups.values())):
            raise Invalid(code, limit=MOST)
    if wanted.audit_days is not None and not AUDIT_LEAST <= wanted.audit_days <= MOST:
        raise Invalid("bad_audit_retention", least=AUDIT_LEAST, limit=MOST)


def _of_living_groups(session: Session, wanted: Kept, before: Kept) -> Kept:
    """Raises Invalid("unknown_group"), but not for one that had a rule."""
    named = wanted.groups.keys() | wanted.file_groups.keys()
    known = set(session.scalars(select(Group.id).where(Group.id.in_(named))))
    if not named <= known | before.groups.keys() | before.file_groups.keys():
        raise Invalid("unknown_group")
    groups, file_groups = (
        {group_id: days for group_id, days in each.items() if group_id in known}
        for each in (wanted.groups, wanted.file_groups)
    )
    return replace(wanted, groups=groups, file_groups=file_groups)


def _rules(now: datetime, days: int | None, groups: Mapping[str, int | None]) -> Rules:
    whole = [(days, _users.c.group_id.not_in(list(groups)))]
    each = [(days, _users.c.group_id == group_id) for group_id, days in sorted(groups.items())]
    return [(now - timedelta(days=days), whose) for days, whose in (*whole, *each) if days is not None]


def _read(stored: Mapping[str, str]) -> Kept:
    values = {name: json.loads(value) for name, value in stored.items()}
    return Kept(**values.get(NAME, {}), **values.get(OF_FILES, {}))


def _stored(kept: Kept) -> dict[str, dict[str, object]]:
    told = _told(kept)
    of_files = {name: told.pop(name) for name in ("file_days", "file_groups")}
    return {NAME: told, OF_FILES: of_files}


def _told(kept: Kept) -> dict[str, object]:
    told = {each.name: getattr(kept, each.name) for each in fields(kept)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in told.items()}
