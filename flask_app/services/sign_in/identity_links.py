"""The identities that a person signs in by, as they see and unlink them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading
from flask_app.errors import Conflict, NotFound
from flask_app.models import IdentityProvider, LinkedIdentity, Passkey, User
from flask_app.services.audit import audit_service
from flask_app.services.sign_in import password_sign_in, second_step


@dataclass(frozen=True, slots=True)
class Listed:
    linked: LinkedIdentity
    provider: IdentityProvider


def listed(actor: User) -> Sequence[Listed]:
    """One's own, the first linked first."""
    own = select(LinkedIdentity, IdentityProvider).join(IdentityProvider).where(LinkedIdentity.user_id == actor.id)
    with reading() as session:
        return [Listed(*row) for row in session.execute(own.order_by(LinkedIdentity.id))]


def unlink(actor: User, linked_id: str, address: str) -> None:
    """Sign in by it no more. Raises NotFound for a foreign one too, Conflict("last_sign_in") for the only way."""

    def work(session: Session) -> None:
        second_step.lock(session, actor.id)
        linked = session.get(LinkedIdentity, linked_id)
        if linked is None or linked.user_id != actor.id:
            raise NotFound
        if not _has_another(session, actor, linked_id):
            raise Conflict("last_sign_in")
        provider = session.get_one(IdentityProvider, linked.provider_id)
        details = {"username": actor.username, "provider": provider.name}
        audit_service.record(session, actor, "identity.unlink", actor.id, details, address)
        session.delete(linked)

    in_transaction(work)


def _has_another(session: Session, actor: User, linked_id: str) -> bool:
    """A password that signs them in, a passkey, or another identity of a provider that is not switched off."""
    if actor.password_hash is not None and password_sign_in.may(actor):
        return True
    if session.scalar(select(exists().where(Passkey.user_id == actor.id))):
        return True
    others = LinkedIdentity.user_id == actor.id, LinkedIdentity.id != linked_id, ~IdentityProvider.disabled
    count = select(func.count()).select_from(LinkedIdentity).join(IdentityProvider)
    return bool(session.scalar(count.where(*others)))
