"""Which parts of documents go with a question: said by whoever asks, or found by the words of the question.

That is found before the question is written down, and written with it: each later turn tells the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from flask_app import offload
from flask_app.database import fetching, table_of
from flask_app.domain import document_pages, files, passages, telling
from flask_app.domain.telling import PAGES, SEARCH, WHOLE, Way
from flask_app.errors import Invalid
from flask_app.models import KeptFile, User

_files = table_of(KeptFile)


class Wanted(NamedTuple):
    """A file that is to go with a question, how, and for PAGES which, as they were written."""

    id: str
    how: str = WHOLE
    pages: str = ""

    @property
    def asked(self) -> object:
        """What it is known by in a request; of one that is whole its id, as it always was."""
        return self.id if self.how == WHOLE else list(self)


def ways(actor: User, wanted: Sequence[Wanted], question: str, context_tokens: int | None) -> dict[str, Way]:
    """How each is told that is not whole, by its id.

    Raises Invalid("file_pages_unknown") for pages that a document does not have, Invalid("file_not_searched") for a
    picture. What is not there is passed over.
    """
    some = {each.id: each for each in wanted if each.how != WHOLE}
    if not some:
        return {}
    query = select(_files.c.id, _files.c.name, _files.c.kind, _files.c.pages, _files.c.text)
    with fetching() as connection:
        rows = connection.execute(query.where(_files.c.id.in_(some), _files.c.user_id == actor.id)).all()
    searched = sum(each.how == SEARCH for each in some.values())
    found = {}
    for row in rows:
        if row.kind == files.PICTURE:
            raise Invalid("file_not_searched", name=row.name)
        each = some[row.id]
        if each.how == PAGES:
            found[row.id] = Way(PAGES, _pages(row.name, row.pages, each.pages))
        else:
            budget = telling.budget(context_tokens, searched)
            found[row.id] = Way(SEARCH, offload.run(_passages, row.text, question, budget))
    return found


def _pages(name: str, count: int | None, pages: str) -> str:
    try:
        written = document_pages.written(document_pages.chosen(pages, count or 0))
    except ValueError:
        written = ""
    if not written or len(written) > document_pages.LONGEST_WRITTEN:
        raise Invalid("file_pages_unknown", name=name, pages=count or 0)
    return written


def _passages(text: str, question: str, budget: int) -> str:
    return telling.places(passages.best([text], question, budget) or passages.first(text, budget))
