"""What the assistant of a conversation knows, as a model is told it: all of its documents, or passages that fit.

As long as all of them fit they stand behind its instructions, the same with each turn: providers remember how a prompt
begins. Passages are chosen by the words and the meaning of the question, and stand before these: what comes before
stays the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.engine import Connection

from flask_app import offload
from flask_app.database import fetching, table_of
from flask_app.domain import files, passages, telling
from flask_app.domain.serving import ServedModel
from flask_app.domain.telling import Way
from flask_app.models import (
    Assistant,
    AssistantFile,
    Conversation,
    KeptFile,
    Message,
    SharedAssistant,
    SharedAssistantFile,
    User,
)
from flask_app.services.chat import history, instructions
from flask_app.services.chat.history import Said
from flask_app.services.chat.instructions import OF_CONVERSATION, SHARED_OF_CONVERSATION
from flask_app.services.chat.prompts import Turn
from flask_app.services.embedding import meaning
from flask_app.services.embedding.asking import Asker
from flask_app.services.embedding.kept_vectors import Source
from flask_app.services.embedding.meaning import Text
from flask_app.services.providers.key_service import Candidate

WHOLE_TOKENS = 32_000  # as many are told whole
PASSAGE_TOKENS = 12_000  # of passages, where there is more
BEGINNING_TOKENS = 800  # of each document's beginning, where no word of the question is in any

Document = Row[str, int | None, str, str]  # name, pages, text, and the id of what is known

_files, _own, _shared = table_of(KeptFile), table_of(AssistantFile), table_of(SharedAssistantFile)
_own_files = _own.join(_files, _files.c.id == _own.c.file_id)
_of_own, _of_shared = (
    column == bindparam("assistant") for column in (_own.c.assistant_id, _shared.c.shared_assistant_id)
)
_TOKENS = {
    False: select(func.sum(_files.c.tokens)).select_from(_own_files).where(_of_own),
    True: select(func.sum(_shared.c.tokens)).where(_of_shared),
}
_DOCUMENTS = {
    False: select(_own.c.name, _files.c.pages, _files.c.text, _files.c.id)
    .select_from(_own_files)
    .where(_of_own, _files.c.digest != _files.c.id)
    .order_by(_own.c.position),
    True: select(_shared.c.name, _shared.c.pages, _shared.c.text, _shared.c.id)
    .where(_of_shared)
    .order_by(_shared.c.position),
}
_WHOSE = (
    select(Assistant.id, SharedAssistant.id)
    .select_from(Conversation)
    .outerjoin(Assistant, OF_CONVERSATION)
    .outerjoin(SharedAssistant, SHARED_OF_CONVERSATION)
    .where(Conversation.id == bindparam("conversation"), Conversation.user_id == bindparam("person"))
)
_QUESTION = select(Message.text).where(Message.id == bindparam("message"))


class _Known(NamedTuple):
    """The documents, how many tokens they are, and whether a shared assistant knows them."""

    documents: Sequence[Document]
    tokens: int
    is_shared: bool


class Knowledge(NamedTuple):
    """`whole` stands behind the instructions, `chosen` before the words of the question."""

    whole: str = ""
    chosen: str = ""

    def told(
        self, by: Sequence[Turn], said: Sequence[Said], model: ServedModel, keys: Sequence[Candidate]
    ) -> tuple[list[Turn], Sequence[Candidate]]:
        """As `history.told`, for a conversation whose assistant tells so: nothing, where it has none any more."""
        if not by:
            return history.told(said, model, keys)
        *before, question = said
        turns, keys = history.told([*before, replace(question, known=self.chosen)], model, keys)
        return [replace(by[0], content=_joined(by[0].content, self.whole)), *by[1:], *turns], keys


NOTHING = Knowledge()


def of_new(actor: User, assistant_id: str | None, question: str, asker: Asker) -> Knowledge:
    """For a new conversation; not to be called inside a transaction. Raises NotFound("unknown_assistant")."""
    if assistant_id is None:
        return NOTHING
    with fetching() as connection:
        chosen = instructions.of_assistant(connection, actor, assistant_id)
        known = _known(connection, chosen.assistant_id, chosen.shared_assistant_id)
    return _told(known, lambda: question, asker)


def of_conversation(actor: User, conversation_id: str, question: Callable[[], str], asker: Asker) -> Knowledge:
    """The same for one that goes on."""
    with fetching() as connection:
        asked = {"conversation": conversation_id, "person": actor.id}
        whose = connection.execute(_WHOSE, asked).one_or_none() or (None, None)
        known = _known(connection, *whose)
    return _told(known, question, asker)


def of_question(actor: User, conversation_id: str, message_id: str, asker: Asker) -> Knowledge:
    """The same where a question is answered once more."""

    def words() -> str:
        with fetching() as connection:
            return connection.scalar(_QUESTION, {"message": message_id}) or ""

    return of_conversation(actor, conversation_id, words, asker)


def tokens_of(assistant: Assistant | SharedAssistant) -> int:
    """About how many are told with a question."""
    with fetching() as connection:
        count = _tokens(connection, assistant.id, is_shared=isinstance(assistant, SharedAssistant))
    return count if count <= WHOLE_TOKENS else PASSAGE_TOKENS


def _tokens(connection: Connection, assistant_id: str, *, is_shared: bool) -> int:
    return int(connection.scalar(_TOKENS[is_shared], {"assistant": assistant_id}) or 0)


def _known(connection: Connection, own_id: str | None, shared_id: str | None) -> _Known:
    assistant_id, is_shared = own_id or shared_id, own_id is None
    if assistant_id is None or not (count := _tokens(connection, assistant_id, is_shared=is_shared)):
        return _Known((), 0, is_shared)
    return _Known(connection.execute(_DOCUMENTS[is_shared], {"assistant": assistant_id}).all(), count, is_shared)


def _told(known: _Known, question: Callable[[], str], asker: Asker) -> Knowledge:
    documents, tokens, is_shared = known
    if tokens <= WHOLE_TOKENS:
        return Knowledge(whole="\n\n".join(files.document(*each[:3]) for each in documents))
    asked = question()
    found = meaning.of([Text(Source(each.id, is_shared), each.text) for each in documents], asked, asker)
    return Knowledge(chosen=offload.run(_chosen, documents, asked, found.order))


def _chosen(documents: Sequence[Document], question: str, near: Sequence[int]) -> str:
    texts = [each.text for each in documents]
    found = passages.best(texts, question, PASSAGE_TOKENS, near)
    if not found:
        beginnings = [passages.first(text, BEGINNING_TOKENS) for text in texts]
        found = [each._replace(text=at) for at, some in enumerate(beginnings) for each in some]
    parts = [telling.places([each for each in found if each.text == at]) for at in range(len(texts))]
    told = zip(documents, parts, strict=True)
    return "\n\n".join(telling.document(*each[:3], Way(telling.SEARCH, some)) for each, some in told if some)


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
