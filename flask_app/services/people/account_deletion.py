"""Deleting an account, one's own or a person's who has left: over at once, and gone some minutes later.

The moment it is asked for, sessions, tokens, shared links and answers in the making end, and nobody signs in any more.
What is left is removed in the background, one conversation after the other, and the person's row last: who is stopped
in the middle goes on with it. The ledger keeps its counts, under an id that stands for nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.domain import policy
from flask_app.errors import Conflict, Forbidden, NotFound
from flask_app.models import (
    AccessToken,
    Attempt,
    Budget,
    Conversation,
    KnownDevice,
    Notice,
    ProgramRequest,
    ProgramWords,
    Run,
    Share,
    User,
)
from flask_app.services.audit import audit_search, audit_service
from flask_app.services.audit.audit_service import ACCOUNT_DELETED, PERSON_DELETED, Actor
from flask_app.services.conversations import conversation_service
from flask_app.services.files import file_retention
from flask_app.services.ledger import replay_service
from flask_app.services.people import password_links, standing
from flask_app.services.runs import closing, stop_service
from flask_app.services.sign_in import auth_service, left_identities, login_limits, proof_service, second_step, visits
from flask_app.services.sign_in.auth_service import Browser

AT_ONCE = 200  # rows in a transaction
SWEPT_FOR = timedelta(days=1)  # longer than a reply lasts, whose row comes when it has ended

log = structlog.get_logger()


def begin(
    actor: User, session_id: str, began_at: datetime, *, password: str | None, code: str | None, browser: Browser
) -> None:
    """End everything of the person's; `finish` removes it. Their password is asked for, and a code of their second
    step; who has no password must have signed in lately.

    Raises Forbidden("wrong_password"), Forbidden("sign_in_again"), WrongCode, TooMany, Conflict("last_owner").
    """
    proof_service.require_password(actor, session_id, began_at, password)
    with login_limits.own_second_step_attempt(session_id, actor.id):
        in_transaction(lambda session: _end(session, actor, session_id, code, browser))
    stop_service.stop_person(actor.id)


def begin_for(actor: Actor, user_id: str) -> None:
    """End everything of somebody else's, as they would themselves; `finish` removes it.

    Raises NotFound, Forbidden("own_account") for oneself, Forbidden("role_not_lower") for whom only an owner deletes,
    Conflict("last_owner").
    """
    if actor.user and actor.user.id == user_id:
        raise Forbidden("own_account")
    in_transaction(lambda session: _end_for(session, actor, user_id))
    stop_service.stop_person(user_id)


def finish() -> None:
    """Remove what is left of everybody who has gone; where an answer of theirs is still being booked, next time.

    Whoever cannot be removed keeps nobody else. Raises then, in the end, what the last of them failed by.
    """
    with reading() as session:
        gone = session.scalars(select(User.id).where(User.deleted_at.is_not(None))).all()
    failed: Exception | None = None
    for user_id in gone:
        try:
            _remove(user_id)
        except Exception as error:  # whatever a row of theirs is broken by
            log.exception("account_not_removed", user=user_id)
            failed = error
    _sweep()
    if failed is not None:
        raise failed


def _end(session: Session, actor: User, session_id: str, code: str | None, browser: Browser) -> None:
    people = _with_owners(session, actor.id)
    user = people.get(actor.id)
    if user is None or user.password_hash != actor.password_hash:
        raise Forbidden("wrong_password")
    visits.require_open(session, session_id)
    if second_step.is_on(session, user.id):
        second_step.check(session, user, code or "", browser.address)
    _close(session, user, people)
    details = {"username": user.username}
    audit_service.record(session, user, ACCOUNT_DELETED, user.id, details, browser.address)


def _end_for(session: Session, actor: Actor, user_id: str) -> None:
    people = _with_owners(session, user_id, *([actor.user.id] if actor.user else []))
    standing.require(session, actor, "people.delete")
    user = people.get(user_id)
    if user is None or user.deleted_at is not None:
        raise NotFound
    role = standing.now(session, actor)
    if role != "owner" and not policy.is_above(role, standing.role_of(user)):
        raise Forbidden("role_not_lower")
    details = {"username": user.username, "role": standing.role_of(user)}
    _close(session, user, people)
    audit_service.record(session, actor.user, PERSON_DELETED, user.id, details, actor.address)


def _with_owners(session: Session, *user_ids: str) -> dict[str, User]:
    """These people and all owners, locked in one order."""
    owners = session.scalars(select(User.id).where(User.is_owner)).all()
    return standing.locked(session, *user_ids, *owners)


def _close(session: Session, user: User, people: Mapping[str, User]) -> None:
    """What ends with the account at once; `people` are all owners among others."""
    active = {each.id for each in people.values() if standing.role_of(each) == "owner" and not each.disabled}
    if active == {user.id}:
        raise Conflict("last_owner")
    user.deleted_at, user.disabled, user.disabled_by_manager = utc_now(), True, False
    user.role, user.is_owner = "member", False
    auth_service.end_sessions(session, user.id)
    password_links.revoke(session, user.id)
    left_identities.remember(session, user.id)
    in_use = (AccessToken.user_id == user.id, AccessToken.revoked_at.is_(None))
    session.execute(update(AccessToken).where(*in_use).values(revoked_at=utc_now(), words_until=None))
    session.execute(delete(Share).where(Share.user_id == user.id))


def _remove(user_id: str) -> None:
    stop_service.stop_person(user_id)
    replay_service.replay()  # what waits for the database would otherwise come when the words are gone
    if _is_answered(user_id):  # its run goes with its conversation, and is to be booked before
        return
    while found := _some_conversations(user_id):
        for conversation_id in found:
            if closing.is_closed():
                return
            conversation_service.erase(conversation_id)
    if not file_retention.forget(user_id) or not _forget_all([user_id]):
        return
    if in_transaction(lambda session: _forget(session, user_id)):
        log.info("account_deleted", user=user_id)


def _some_conversations(user_id: str) -> Sequence[str]:
    query = select(Conversation.id).where(Conversation.user_id == user_id).limit(AT_ONCE)
    with reading() as session:
        return session.scalars(query).all()


def _is_answered(user_id: str) -> bool:
    """Is an answer of theirs still being made, or is there one that a dead worker left, which is yet to be booked?"""
    with reading() as session:
        going_on = exists().where(Run.user_id == user_id, Run.status == "running")
        return bool(session.scalar(select(going_on)))


def _sweep() -> None:
    """What was written of people when they had just gone: a reply that was on its way ends later than they do."""
    since = utc_now() - SWEPT_FOR
    asked = audit_search.targets_of(ACCOUNT_DELETED, since) | audit_search.targets_of(PERSON_DELETED, since)
    with reading() as session:
        there = set(session.scalars(select(User.id).where(User.id.in_(asked)))) if asked else set()
    if gone := sorted(asked - there):
        _forget_all(gone)


def _forget_all(gone: Sequence[str]) -> bool:
    """False where the process ends before all is forgotten."""
    while _forget_some(gone):
        if closing.is_closed():
            return False
    return True


def _forget_some(gone: Sequence[str]) -> bool:
    """What programs asked, what was told, and from where answers were asked for: many rows, some at a time.

    Was there anything?
    """
    told = or_(Notice.recipient_id.in_(gone), Notice.person_id.in_(gone))

    def work(session: Session) -> bool:
        found = False
        for model, theirs in (
            (ProgramRequest, ProgramRequest.user_id.in_(gone)),
            (ProgramWords, ProgramWords.user_id.in_(gone)),
            (Notice, told),
        ):
            ids = session.scalars(select(model.id).where(theirs).limit(AT_ONCE)).all()
            session.execute(delete(model).where(model.id.in_(ids)))
            found = found or bool(ids)
        asked = (Attempt.user_id.in_(gone), Attempt.state.in_(("settled", "released")), Attempt.address != "")
        ids = session.scalars(select(Attempt.id).where(*asked).limit(AT_ONCE)).all()
        session.execute(update(Attempt).where(Attempt.id.in_(ids)).values(address=""))
        return found or bool(ids)

    return in_transaction(work)


def _forget(session: Session, user_id: str) -> bool:
    """The rest goes with the person's row. False where another was first."""
    tokens = select(AccessToken.id).where(AccessToken.user_id == user_id)
    theirs = or_(
        (Budget.scope == "user") & (Budget.scope_id == user_id), (Budget.scope == "token") & Budget.scope_id.in_(tokens)
    )
    session.execute(delete(Notice).where(Notice.id.in_(_told_elsewhere(session, user_id))))
    session.execute(delete(Budget).where(theirs))
    gone = session.execute(delete(User).where(User.id == user_id, User.deleted_at.is_not(None)))
    return bool(gone.rowcount)  # type: ignore[attr-defined]


def _told_elsewhere(session: Session, user_id: str) -> Sequence[str]:
    """Notices of their browsers, and those of their budgets that went to the webhook."""
    devices = select(KnownDevice.id).where(KnownDevice.user_id == user_id)
    about = or_(Notice.subject_id.in_(devices), Notice.facts.contains(f'"person_id":"{user_id}"'))
    return session.scalars(select(Notice.id).where(about)).all()
