"""A group's end: what becomes of its people, and of what was for them alone."""

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, table_of
from flask_app.errors import Conflict
from flask_app.models import DEFAULT_GROUP_ID, Budget, Group, SharedAssistant, SharedPrompt
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import opening_service
from flask_app.services.people import group_access, group_service, joining
from flask_app.services.site import retention_moves

_budgets = table_of(Budget)


def delete(actor: Actor, group_id: str, *, is_confirmed: bool = False) -> None:
    """Its people move to the default group, its budgets, prompts and assistants go with it, invitations into it let
    nobody in any more. What it had closed to its people is open to them as it is to the default group's.

    Raises NotFound, Conflict("default_group") for that one itself, and Conflict("retention_removes") with what of
    theirs is too old there, unless that `is_confirmed`.
    """
    if group_id == DEFAULT_GROUP_ID:
        raise Conflict("default_group")
    if not is_confirmed:
        retention_moves.check_group(group_id, DEFAULT_GROUP_ID)

    def work(session: Session) -> None:
        default = group_service.chosen(session, DEFAULT_GROUP_ID)
        group = group_service.locked(session, group_id)
        details = _told(session, group) | joining.put_all(session, actor, group, default)
        spent = delete_from(_budgets).where(_budgets.c.scope_id == group_id)
        details["budgets"] = session.connection().execute(spent).rowcount
        session.delete(group)
        audit_service.record(session, actor.user, "group.delete", group_id, details, actor.address)

    in_transaction(work)


def _told(session: Session, group: Group) -> dict[str, object]:
    """What it was: who deletes it opens what it had closed."""
    access = group_access.told(group)
    kept = {"prompts": SharedPrompt.group_id, "assistants": SharedAssistant.group_id}
    counts = {name: session.scalar(select(func.count()).where(column == group.id)) for name, column in kept.items()}
    supervised = {"supervised": group.supervised_since is not None, **counts}
    opening = opening_service.told(group) if opening_service.of(group) else {}
    return {**group_service.settings(group), **access, **supervised, **opening}
