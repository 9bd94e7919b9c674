"""What a search found, as JSON."""

from datetime import datetime

from flask_app.services.search.search_service import Hit
from flask_app.web.bodies import Reply


class HitReply(Reply):
    """`snippet` is plain text, and `marks` are where in it matches are: from one character up to another, of Unicode.

    Of a hit in the title, `message_id` and `role` are null. `folder` is the name of its own.
    """

    conversation_id: str
    title: str
    folder: str | None
    archived: bool
    message_id: str | None
    role: str | None
    at: datetime
    snippet: str
    marks: list[tuple[int, int]]


class HitsReply(Reply):
    hits: list[HitReply]
    next: str | None


def hits_reply(hits: list[Hit], following: str | None) -> HitsReply:
    return HitsReply(hits=[_hit(hit) for hit in hits], next=following)


def _hit(hit: Hit) -> HitReply:
    return HitReply(
        conversation_id=hit.conversation_id,
        title=hit.title,
        folder=hit.folder,
        archived=hit.archived,
        message_id=hit.message_id,
        role=hit.role,
        at=hit.at,
        snippet=hit.snippet.text,
        marks=hit.snippet.marks,
    )
