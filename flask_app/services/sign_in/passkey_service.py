"""A person's own passkeys: added, named, removed.

Adding and removing ask for the password, and give the browser a new session, as the other changes of how one signs in
do. Where the person has a second step a code of it is asked for too before one is added: a passkey takes its place.
"""

from dataclasses import dataclass, field

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Passkey, User
from flask_app.services.audit import audit_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import (
    auth_service,
    authenticators,
    login_limits,
    passkey_ceremony,
    passkey_challenges,
    second_step,
    visits,
)
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from flask_app.services.sign_in.passkey_ceremony import Attestation, Made, RelyingParty
from flask_app.services.sign_in.passkey_challenges import Spent

MOST = 20  # of one person
MAX_NAME = 64

COUNT = select(func.count()).where(Passkey.user_id == User.id).scalar_subquery()  # of the person of a query


@dataclass(frozen=True, slots=True)
class Begun:
    """What an authenticator is to sign, and the passkeys that the person has here: it makes no second one."""

    challenge: bytes = field(repr=False)
    held: list[Passkey]
    signed_in: SignedIn = field(repr=False)


@dataclass(frozen=True, slots=True)
class Added:
    passkey: Passkey
    signed_in: SignedIn = field(repr=False)


def listed(actor: User) -> list[Passkey]:
    """The oldest first."""
    with reading() as session:
        return _own(session, actor.id)


def begin(
    actor: User, session_id: str, password: str, code: str | None, browser: Browser, party: RelyingParty
) -> Begun:
    """A challenge for a new passkey, of which `add` wants the signature within five minutes.

    Raises Forbidden("wrong_password"), SecondStepNeeded without `code` where the person has a second step, WrongCode,
    TooMany, Conflict("too_many_passkeys").
    """
    auth_service.check_password(actor, session_id, password)
    with login_limits.own_second_step_attempt(session_id, actor.id), transaction() as session:
        second_step.lock(session, actor.id)
        visits.require_open(session, session_id)
        second_step.check(session, actor, code, browser.address)
        own = _own(session, actor.id)
        _require_room(own)
        signed_in = auth_service.open_session(session, actor, browser, replaces=session_id)
    held = [passkey for passkey in own if passkey.rp_id == party.id]
    return Begun(passkey_challenges.new("add", digest(signed_in.token)), held, signed_in)


def add(
    actor: User, session_id: str, reply: Attestation, browser: Browser, party: RelyingParty, *, usual_name: str
) -> Added:
    """Keep the passkey that was made, under its keeper's name or else `usual_name`.

    Raises Conflict("passkey_not_begun", "passkey_known", "too_many_passkeys"), Invalid("passkey_not_made").
    """
    try:
        challenge = passkey_challenges.check(passkey_ceremony.challenge_in(reply.client_data), "add", session_id)
        made = passkey_ceremony.verified_attestation(reply, challenge.value, party)
        with transaction() as session:
            second_step.lock(session, actor.id)
            visits.require_open(session, session_id)
            passkey_challenges.use_up(session, challenge)
            own = _own(session, actor.id)
            _require_room(own)
            name = _unlike(authenticators.NAMES.get(made.aaguid, usual_name), {passkey.name for passkey in own})
            passkey = _row(actor, made, party, reply.transports, name)
            session.add(passkey)
            session.flush()
            _note(session, actor, "passkey.add", passkey, browser)
            return Added(passkey, auth_service.open_session(session, actor, browser, replaces=session_id))
    except Spent as error:
        raise Conflict("passkey_not_begun") from error
    except IntegrityError as error:
        raise Conflict("passkey_known") from error
    except ValueError as error:
        raise Invalid("passkey_not_made") from error


def rename(actor: User, passkey_id: str, name: str, browser: Browser) -> Passkey:
    """Raises NotFound for a foreign one too, Invalid("bad_passkey_name")."""
    shown = name.strip()
    if not (0 < len(shown) <= MAX_NAME and shown.isprintable()):
        raise Invalid("bad_passkey_name", limit=MAX_NAME)
    with transaction() as session:
        second_step.lock(session, actor.id)
        passkey = _found(session, actor, passkey_id)
        if shown != passkey.name:
            before, passkey.name = passkey.name, shown
            _note(session, actor, "passkey.rename", passkey, browser, before=before)
        return passkey


def remove(actor: User, session_id: str, passkey_id: str, password: str, browser: Browser) -> SignedIn:
    """Nobody signs in by it any more. Raises Forbidden("wrong_password"), TooMany, NotFound for a foreign one too."""
    auth_service.check_password(actor, session_id, password)
    with transaction() as session:
        second_step.lock(session, actor.id)
        visits.require_open(session, session_id)
        passkey = _found(session, actor, passkey_id)
        session.delete(passkey)
        _note(session, actor, "passkey.remove", passkey, browser)
        return auth_service.open_session(session, actor, browser, replaces=session_id)


def forget(session: Session, user_id: str) -> int:
    """Remove all of a person's, within the caller's transaction: how many there were."""
    return session.execute(delete(Passkey).where(Passkey.user_id == user_id)).rowcount  # type: ignore[attr-defined, no-any-return]


def count(session: Session, user_id: str) -> int:
    return session.scalar(select(func.count()).where(Passkey.user_id == user_id)) or 0


def _own(session: Session, user_id: str) -> list[Passkey]:
    return list(session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def _found(session: Session, actor: User, passkey_id: str) -> Passkey:
    passkey = session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == actor.id))
    if passkey is None:
        raise NotFound
    return passkey


def _require_room(own: list[Passkey]) -> None:
    if len(own) >= MOST:
        raise Conflict("too_many_passkeys", limit=MOST)


def _unlike(name: str, others: set[str]) -> str:
    """Two of one kind are told apart: "Windows Hello", "Windows Hello 2"."""
    numbered = (name, *(f"{name} {number}" for number in range(2, MOST + 1)))
    return next(each for each in numbered if each not in others)


def _row(actor: User, made: Made, party: RelyingParty, transports: tuple[str, ...], name: str) -> Passkey:
    return Passkey(
        user_id=actor.id,
        digest=digest(passkey_ceremony.encoded(made.credential_id)),
        credential_id=made.credential_id,
        public_key=made.public_key,
        rp_id=party.id,
        sign_count=made.sign_count,
        transports=" ".join(transports),
        aaguid=made.aaguid,
        backed_up=made.backed_up,
        name=name,
    )


def _note(session: Session, actor: User, action: str, passkey: Passkey, browser: Browser, **more: str) -> None:
    details = {"username": actor.username, "passkey": passkey.name, **more}
    audit_service.record(session, actor, action, actor.id, details, browser.address)
