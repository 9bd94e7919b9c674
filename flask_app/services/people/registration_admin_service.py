"""Who waits to be let in, as administrators see it: let in, or refused."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, reading, utc_now
from flask_app.errors import NotFound
from flask_app.models import Registration
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, registration_service, registration_settings
from flask_app.services.people.user_admin_service import Person
from flask_app.services.queries import paging

WAITING = (  # for an administrator's word and nothing else
    Registration.user_id.is_(None),
    or_(Registration.email.is_(None), Registration.confirmed_at.is_not(None)),
)
_COUNT_WAITING = (  # made once, for it is asked on every page of who may let them in
    select(func.count())
    .select_from(Registration)
    .where(*WAITING, Registration.expires_at > bindparam("now", type_=Registration.expires_at.type))
)


@dataclass(frozen=True, slots=True)
class Page:
    registrations: list[Registration]
    next: str | None


def waiting(*, after: str | None = None, limit: int = paging.PAGE) -> Page:
    """Those that only an administrator's word is missing for, who came first first; raises BadRequest."""
    query = select(Registration).where(*WAITING, Registration.expires_at > utc_now()).order_by(Registration.id)
    if after is not None:
        query = query.where(Registration.id > paging.checked_id(after))
    with reading() as session:
        found = list(session.scalars(query.limit(paging.checked_limit(limit) + 1)))
    return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


def count_waiting() -> int:
    """How many only an administrator's word is missing for."""
    with fetching() as connection:
        return connection.execute(_COUNT_WAITING, {"now": utc_now()}).scalar_one()


def accept(actor: Actor, registration_id: str, group_id: str | None = None) -> Person:
    """Let somebody in, into the group or that of the settings.

    Raises NotFound where nobody waits so, Invalid("unknown_group"), Conflict("username_taken", "email_taken").
    """
    wanted = group_id or registration_settings.terms().group_id

    def work(session: Session) -> Person:
        group = group_service.chosen(session, wanted)
        user = registration_service.come_in(session, actor, _one(session, registration_id), group)
        details = {"name": user.username, "group": group.name}
        audit_service.record(session, actor.user, "registration.accept", user.id, details, actor.address)
        return Person(user, group, online=False, second_step=False)

    return in_transaction(work)


def refuse(actor: Actor, registration_id: str) -> None:
    """Forget somebody who waits. They are not told. Raises NotFound."""

    def work(session: Session) -> None:
        registration = _one(session, registration_id)
        details = {"name": registration.username}
        audit_service.record(session, actor.user, "registration.refuse", registration.id, details, actor.address)
        session.delete(registration)

    in_transaction(work)


def _one(session: Session, registration_id: str) -> Registration:
    found = session.scalar(select(Registration).where(Registration.id == registration_id, *WAITING).with_for_update())
    if found is None:
        raise NotFound
    return found
