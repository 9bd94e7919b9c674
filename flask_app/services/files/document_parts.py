"""Which parts of documents go with a question: said by whoever asks, or found by the question's words and meaning.

That is found before the question is written down, and written with it: each later turn tells the same.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, select

from flask_app import offload
from flask_app.database import fetching, table_of
from flask_app.domain import document_pages, files, passages, telling
from flask_app.domain.telling import PAGES, SEARCH, WHOLE, Way
from flask_app.errors import Invalid
from flask_app.models import KeptFile, User
from flask_app.services.embedding import meaning
from flask_app.services.embedding.asking import Asker
from flask_app.services.embedding.kept_vectors import Source
from flask_app.services.embedding.meaning import Text

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


def ways(
    actor: User, wanted: Sequence[Wanted], question: str, context_tokens: int | None, asker: Asker
) -> dict[str, Way]:
    """How each is told that is not whole, by its id. Not for inside a transaction: a provider may be asked for vectors.

    Raises Invalid("file_pages_unknown") for pages that a document does not have, Invalid("file_not_searched") for a
    picture. What is not there is passed over.
    """
    some = {each.id: each for each in wanted if each.how != WHOLE}
    if not some:
        return {}
    query = select(_files.c.id, _files.c.name, _files.c.kind, _files.c.pages, _files.c.text)
    with fetching() as connection:
        rows = connection.execute(query.where(_files.c.id.in_(some), _files.c.user_id == actor.id)).all()
    if picture := next((row for row in rows if row.kind == files.PICTURE), None):
        raise Invalid("file_not_searched", name=picture.name)
    paged = [row for row in rows if some[row.id].how == PAGES]
    found = {row.id: Way(PAGES, _pages(row.name, row.pages, some[row.id].pages)) for row in paged}
    return found | _searched([row for row in rows if row.id not in found], question, context_tokens, asker)


def _pages(name: str, count: int | None, pages: str) -> str:
    try:
        written = document_pages.written(document_pages.chosen(pages, count or 0))
    except ValueError:
        written = ""
    if not written or len(written) > document_pages.LONGEST_WRITTEN:
        raise Invalid("file_pages_unknown", name=name, pages=count or 0)
    return written


def _searched(
    rows: Sequence[Row[*tuple[Any, ...]]], question: str, context_tokens: int | None, asker: Asker
) -> dict[str, Way]:
    budget = telling.budget(context_tokens, len(rows))
    found = meaning.of([Text(Source(row.id), row.text) for row in rows], question, asker)
    parts = (offload.run(_passages, row.text, question, budget, found.of_text(at)) for at, row in enumerate(rows))
    return {row.id: Way(SEARCH, part, found.by) for row, part in zip(rows, parts, strict=True)}


def _passages(text: str, question: str, budget: int, near: Sequence[int]) -> str:
    return telling.places(passages.best([text], question, budget, near) or passages.first(text, budget))
