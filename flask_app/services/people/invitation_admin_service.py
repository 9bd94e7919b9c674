"""Invitations as administrators keep them: made, listed, revoked. A code is told once; only its digest is stored."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.domain import typed_code
from flask_app.errors import Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, Group, Invitation, InvitationLetter, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, invitation_letters, inviters
from flask_app.services.people.invitation_service import digest_of, state_of
from flask_app.services.people.inviters import UPHELD
from flask_app.services.queries import paging

Query = Select[Invitation, Group | None, bool, str | None, str | None, str | None]

MAX_NAME = 64
MOST = 500  # people by one invitation
MOST_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an invitation is called, where it leads, how many people may use it, and for how many days."""

    name: str
    group_id: str = DEFAULT_GROUP_ID
    most: int = 1
    days: int = 7


@dataclass(frozen=True, slots=True)
class Letter:
    """How the letter to its person stands; one that is "waiting" with an `error` is tried again."""

    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """`group` is None once it is deleted; `state` is what `state_of` says; `by` who made it, None the command line, and
    whoever is gone by their id. `letter` is None where nobody is sent one.
    """

    invitation: Invitation
    group: Group | None
    state: str
    by: str | None
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The token is known nowhere else: the link is `/join#TOKEN`, and `/join` takes it typed by hand."""

    listed: Listed
    token: str


@dataclass(frozen=True, slots=True)
class Page:
    invitations: list[Listed]
    next: str | None


def make(actor: Actor, terms: Terms) -> Made:
    """A new invitation. Raises Invalid."""
    name = _checked(terms)
    token = typed_code.shown(typed_code.new())

    def work(session: Session) -> Listed:
        now = utc_now()
        group = group_service.chosen(session, terms.group_id)
        invitation = Invitation(name=name, digest=digest_of(token), group_id=group.id, most=terms.most, used=0)
        invitation.created_at, invitation.expires_at = now, now + timedelta(days=terms.days)
        invitation.user_id = actor.user.id if actor.user else None
        session.add(invitation)
        session.flush()
        details = {"name": name, "group": group.name, "most": terms.most, "days": terms.days}
        audit_service.record(session, actor.user, "invitation.make", invitation.id, details, actor.address)
        return _one(session, invitation.id)

    return Made(in_transaction(work), token)


def listed(*, group_id: str | None = None, before: str | None = None, limit: int = paging.PAGE) -> Page:
    """The newest first, all or those into one group; raises BadRequest for a bad limit or cursor."""
    query = _WITH_NAMES.order_by(Invitation.id.desc()).limit(paging.checked_limit(limit) + 1)
    if group_id is not None:
        query = query.where(Invitation.group_id == group_id)
    if before is not None:
        query = query.where(Invitation.id < paging.checked_id(before))
    with reading() as session:
        found = _shown(session, query)
    return Page(found[:limit], found[limit - 1].invitation.id if len(found) > limit else None)


def revoke(actor: Actor, invitation_id: str, *, group_id: str | None = None) -> Listed:
    """Nobody comes in by it any more, and a letter that waits never goes; who came in stays. One that is over already
    stays as it is.

    Raises NotFound, also for one that does not lead into the group which is named.
    """

    def work(session: Session) -> Listed:
        invitation = session.get(Invitation, invitation_id, with_for_update=True)
        if invitation is None or group_id not in {None, invitation.group_id}:
            raise NotFound
        before = state_of(invitation, utc_now(), is_upheld=inviters.uphold(session, invitation_id))
        if before in {"open", "lapsed"}:  # whoever made that one may be back some day
            invitation.revoked_at = utc_now()
            session.flush()
            invitation_letters.drop(session, invitation.id)
            change = audit_service.difference({"state": before}, {"state": "revoked"})
            details = {"name": invitation.name, "used": invitation.used, "most": invitation.most, **change}
            audit_service.record(session, actor.user, "invitation.revoke", invitation.id, details, actor.address)
        return _one(session, invitation.id)

    return in_transaction(work)


def check_days(days: int) -> None:
    """Raises Invalid("bad_invitation_days")."""
    if not 0 < days <= MOST_DAYS:
        raise Invalid("bad_invitation_days", limit=MOST_DAYS)


def _checked(terms: Terms) -> str:
    """The name without the blanks around it."""
    name = terms.name.strip()
    if not (0 < len(name) <= MAX_NAME and name.isprintable()):
        raise Invalid("bad_label", limit=MAX_NAME)
    if not 0 < terms.most <= MOST:
        raise Invalid("bad_invitation_size", limit=MOST)
    check_days(terms.days)
    return name


def _one(session: Session, invitation_id: str) -> Listed:
    return _shown(session, _WITH_NAMES.where(Invitation.id == invitation_id))[0]


def _shown(session: Session, query: Query) -> list[Listed]:
    now = utc_now()
    return [
        Listed(
            invitation,
            group,
            state_of(invitation, now, is_upheld=is_upheld),
            by or invitation.user_id,
            Letter(sent, error) if sent else None,
        )
        for invitation, group, is_upheld, by, sent, error in session.execute(query).all()
    ]


_WITH_NAMES: Query = (
    select(
        *(Invitation, Group, UPHELD.label("is_upheld")),
        *(User.username, InvitationLetter.state, InvitationLetter.error_code),
    )
    .outerjoin(Group, Group.id == Invitation.group_id)
    .outerjoin(User, User.id == Invitation.user_id)
    .outerjoin(InvitationLetter, InvitationLetter.invitation_id == Invitation.id)
)
