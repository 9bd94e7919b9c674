"""Drafts: what a person has written and not yet sent, to be gone on with on another device."""

from sqlalchemy import Select, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.errors import Conflict, NotFound
from flask_app.models import Conversation, KeptDraft, Run, User
from flask_app.services.budgets import budget_service
from flask_app.services.chat import chat_service
from flask_app.services.conversations import conversation_service


def read(actor: User, conversation_id: str | None) -> KeptDraft | None:
    """The draft of a conversation, or of a new one for None; raises NotFound for somebody else's."""
    with reading() as session:
        if conversation_id:
            conversation_service.owned(session, actor, conversation_id)
        return session.scalar(_standing(actor, conversation_id or actor.id))


def keep(actor: User, conversation_id: str | None, text: str, message_key: str) -> KeptDraft | None:
    """Keep the words in the place of those that were there; none delete the draft, where it is still that of the key.

    Raises NotFound for somebody else's conversation, Invalid for what is too long to be sent,
    Conflict("draft_sent") where the message of that key has been sent: a late copy of it does not come back, and
    Conflict("draft_elsewhere") where the words of another key stand there: another device began them meanwhile.
    """
    chat_service.check_text(text)

    def write(session: Session) -> KeptDraft | None:
        budget_service.take_turn(session.connection(), actor.id)  # a message of the same moment comes before or after
        _check(session, actor, conversation_id, message_key)
        place = conversation_id or actor.id
        if not text.strip():
            own = (KeptDraft.id == place, KeptDraft.message_key == message_key)
            session.execute(delete(KeptDraft).where(*own))
            return None
        if session.scalar(_standing(actor, place).where(KeptDraft.message_key != message_key)):
            raise Conflict("draft_elsewhere")
        _write(session, actor, conversation_id, {"message_key": message_key, "text": text, "saved_at": utc_now()})
        return session.get_one(KeptDraft, place, populate_existing=True)

    return in_transaction(write)


def _standing(actor: User, place: str) -> Select[KeptDraft]:
    """What is written there and not sent: a version from before drafts, which may serve too, leaves those it sends."""
    is_sent = exists().where(Run.user_id == actor.id, Run.idempotency_key == KeptDraft.message_key)
    return select(KeptDraft).where(KeptDraft.id == place, ~is_sent)


def _check(session: Session, actor: User, conversation_id: str | None, message_key: str) -> None:
    own = (Conversation.id == conversation_id, Conversation.user_id == actor.id)
    held = select(Conversation.id).where(*own).with_for_update(read=True)  # it is not deleted under the draft's feet
    if conversation_id and session.scalar(held) is None:
        raise NotFound
    if session.scalar(select(Run.id).where(Run.user_id == actor.id, Run.idempotency_key == message_key)):
        raise Conflict("draft_sent")


def _write(session: Session, actor: User, conversation_id: str | None, values: dict[str, object]) -> None:
    place = conversation_id or actor.id
    there = session.connection().execute(update(KeptDraft).where(KeptDraft.id == place).values(values))
    if there.rowcount == 0:
        session.execute(insert(KeptDraft).values(id=place, user_id=actor.id, conversation_id=conversation_id, **values))
