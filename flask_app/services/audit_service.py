"""The audit log: what was done to people, keys and settings, by whom and from where. Rows are only ever added."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from flask_app.database import table_of
from flask_app.logs import redact
from flask_app.models import AuditEntry, User

COMMAND_LINE = "(command line)"

_entries = table_of(AuditEntry)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts and from where; `user` None is the command line."""

    user: User | None
    address: str = ""


def record(
    session: Session,
    actor: User | None,
    action: str,
    target: str,
    details: Mapping[str, object] | None = None,
    address: str = "",
) -> None:
    """Add an entry within the transaction of the act itself.

    `action` is like "user.disable", `target` the id of what it was done to. `actor` None means the command line.
    `details` never holds a secret, a password or a token.
    """
    session.add(
        AuditEntry(
            actor_id=actor.id if actor else None,
            actor_name=actor.username if actor else COMMAND_LINE,
            action=action,
            target=target,
            details=redact(json.dumps(dict(details or {}), ensure_ascii=False, sort_keys=True)),
            address=address,
        )
    )


def latest(connection: Connection, action: str) -> datetime | None:
    """When somebody last did this. Ids are in the order of time, and a recent one is found at once."""
    done = select(_entries.c.created_at).where(_entries.c.action == action)
    moment: datetime | None = connection.scalar(done.order_by(_entries.c.id.desc()).limit(1))
    return moment


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """What has changed, as it was and as it is, for the details of an entry; empty where nothing has."""
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return {}
    return {"before": {name: before[name] for name in changed}, "after": {name: after[name] for name in changed}}
