"""Everything of a person's own beside their conversations, as it is read once for a file."""

from collections.abc import Iterator

from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Group, KeptDraft, User
from flask_app.services.gateway import request_search, word_log
from flask_app.services.gateway.request_search import Filter, Found
from flask_app.services.gateway.word_log import Kept
from flask_app.services.queries import paging

AT_ONCE = 100


def group_of(actor: User) -> str:
    """Its name."""
    with reading() as session:
        return session.get_one(Group, actor.group_id).name


def drafts(actor: User) -> Iterator[KeptDraft]:
    """What is written and not yet sent, some read at a time."""
    after = ""
    while True:
        query = select(KeptDraft).where(KeptDraft.user_id == actor.id, KeptDraft.id > after).order_by(KeptDraft.id)
        with reading() as session:
            some = session.scalars(query.limit(AT_ONCE)).all()
        yield from some
        if len(some) < AT_ONCE:
            return
        after = some[-1].id


def requests(actor: User) -> Iterator[list[Found]]:
    """What programs asked in one's name, page by page, the newest first."""
    before: str | None = None
    while True:
        page = request_search.own(actor, Filter(), before=before, limit=paging.MAX_PAGE)
        yield page.requests
        if page.next is None:
            return
        before = page.next


def words(actor: User) -> Iterator[tuple[str, Kept]]:
    """What of them is kept for a while, by the request's id."""
    for found in requests(actor):
        for request_id in sorted(word_log.kept(actor, [each.request.id for each in found])):
            yield request_id, word_log.find(actor, request_id)
