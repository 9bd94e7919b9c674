"""Drafts as the API takes and shows them."""

from datetime import datetime

from flask_app.models import KeptDraft
from flask_app.web.bodies import Body, IdempotencyKey, Reply


class SaveDraft(Body):
    """`key`: the idempotency key under which the message will be sent."""

    text: str
    key: IdempotencyKey


class KeptDraftReply(Reply):
    text: str
    key: str
    saved_at: datetime


class DraftReply(Reply):
    """`draft` is null where nothing is written."""

    draft: KeptDraftReply | None


def kept_draft_reply(draft: KeptDraft | None) -> KeptDraftReply | None:
    return KeptDraftReply(text=draft.text, key=draft.message_key, saved_at=draft.saved_at) if draft else None


def draft_reply(draft: KeptDraft | None) -> DraftReply:
    return DraftReply(draft=kept_draft_reply(draft))
