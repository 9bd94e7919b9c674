"""Documents that are searched by meaning in tests: who makes the vectors, and what they are of."""

from typing import Any

from sqlalchemy import select

from flask_app.database import reading
from flask_app.domain import passages
from flask_app.models import Attempt, KeptFile, MessageFile, PassageVectors, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.embedding import embedding_setting
from flask_app.services.providers import model_service
from tests.support import files
from tests.support.attached import ask
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Embedded, Received, ScriptedUpstream
from tests.support.upstream_embeddings import EMBEDDINGS

QUESTION = "When does the warranty end?"
ANSWER = "Die Gewährleistung beträgt drei Winter."  # no word of the question is there
SUBJECTS = (("warranty", "gewährleistung"), ("train", "zug"), ("harbour", "hafen"))


def means(words: str) -> list[float]:
    """A number for each subject that is named, and one for all words: a stand-in that knows two languages."""
    return [float(any(name in words.casefold() for name in names)) for names in SUBJECTS] + [0.1]


def model_id(number: int = 1) -> str:
    return model_service.available(with_vectors=True)[number].id


def switch_on(upstream: ScriptedUpstream, script: Any = None) -> None:
    """Have the second model of the provider make vectors, which answers so."""
    embedding_setting.choose(Actor(None), model_id())
    upstream.script(script or Embedded(means=means), path=EMBEDDINGS, always=True)


def book(client: PageClient, chapters: int = 60, name: str = "book.txt") -> dict[str, Any]:
    """A text of so many passages and some more; one in its middle tells what QUESTION asks for, in other words."""
    told = [f"Chapter {number}. " + "They went along the river and saw boats. " * 22 for number in range(chapters)]
    told[chapters // 2] += ANSWER
    return files.kept(client, "\n\n".join(told).encode(), name)


def search(client: PageClient, read: dict[str, Any], message: str = QUESTION, **fields: Any) -> Any:
    """The reply to a question for which the document is searched."""
    return ask(client, message, files=[{"id": read["id"], "told": "search"}], **fields)


def found_by() -> list[str | None]:
    with reading() as session:
        return list(session.scalars(select(MessageFile.found_by).order_by(MessageFile.message_id)))


def requests(upstream: ScriptedUpstream) -> list[Received]:
    return [each for each in upstream.journal.chats if each.path == EMBEDDINGS]


def attempts() -> list[tuple[str, str | None]]:
    """State and error of those for vectors, in order."""
    with reading() as session:
        found = session.scalars(select(Attempt).where(Attempt.channel == "document").order_by(Attempt.id))
        return [(each.state, each.error_code) for each in found]


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).where(TokenUsage.channel == "document")))


def kept() -> list[PassageVectors]:
    with reading() as session:
        return list(session.scalars(select(PassageVectors).order_by(PassageVectors.first)))


def cut(read: dict[str, Any]) -> int:
    """How many passages a document has."""
    with reading() as session:
        text = session.scalars(select(KeptFile.text).where(KeptFile.id == read["id"])).one()
    return sum(1 for _ in passages.pieces_of(text))
