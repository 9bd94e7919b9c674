"""The audit log as JSON."""

from datetime import datetime
from typing import Any

from flask_app.services.audit.audit_search import Entry, Page
from flask_app.web.bodies import Reply


class AuditEntryReply(Reply):
    """`actor` is who acted, by the name of then; "(command line)" where somebody did at the server itself. `target` is
    the id of what it was done to, `details` what it was done with: `before` and `after` where values changed.
    """

    id: str
    actor: str
    actor_id: str | None
    action: str
    target: str
    details: dict[str, Any]
    address: str
    created_at: datetime


class AuditReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    entries: list[AuditEntryReply]
    next: str | None


def audit_reply(page: Page) -> AuditReply:
    return AuditReply(entries=[_entry(each) for each in page.entries], next=page.next)


def _entry(found: Entry) -> AuditEntryReply:
    row = found.entry
    return AuditEntryReply(
        id=row.id,
        actor=row.actor_name,
        actor_id=row.actor_id,
        action=row.action,
        target=row.target,
        details=found.details,
        address=row.address,
        created_at=row.created_at,
    )
