"""Everything of a person's own beside their conversations, as it is read once for a file."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import select

from flask_app.database import reading
from flask_app.errors import NotFound
from flask_app.models import Assistant, Group, KeptDraft, Prompt, User
from flask_app.services.files import file_service
from flask_app.services.files.file_service import Facts
from flask_app.services.gateway import request_search, word_log
from flask_app.services.gateway.request_search import Filter, Found
from flask_app.services.gateway.word_log import Kept
from flask_app.services.queries import paging

AT_ONCE = 100

Own = TypeVar("Own", Assistant, KeptDraft, Prompt)


def group_of(actor: User) -> str:
    """Its name."""
    with reading() as session:
        return session.get_one(Group, actor.group_id).name


def drafts(actor: User) -> Iterator[KeptDraft]:
    """What is written and not yet sent."""
    return _every(KeptDraft, actor)


def prompts(actor: User) -> Iterator[Prompt]:
    """Their own, the oldest first."""
    return _every(Prompt, actor)


def assistants(actor: User) -> Iterator[Assistant]:
    """Their own, the oldest first."""
    return _every(Assistant, actor)


def files(actor: User) -> Iterator[Facts]:
    """Those that they brought in, the oldest first."""
    after = ""
    while some := file_service.own(actor, after, AT_ONCE):
        yield from some
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
            with suppress(NotFound):  # their time may end, or the person end it, while this is read
                yield request_id, word_log.find(actor, request_id)


def _every(model: type[Own], actor: User) -> Iterator[Own]:
    """All that is the person's, some read at a time."""
    after = ""
    while True:
        query = select(model).where(model.user_id == actor.id, model.id > after).order_by(model.id)
        with reading() as session:
            some = session.scalars(query.limit(AT_ONCE)).all()
        yield from some
        if len(some) < AT_ONCE:
            return
        after = some[-1].id
