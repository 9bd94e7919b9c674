"""What was said on a branch, as a model is told it.

What was found on the web for a question comes before the calls of tools that were made for its answer, those before
what its assistant knows of it, that before its documents, those before its words, and pictures after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Row, bindparam, select
from sqlalchemy.engine import Connection

from flask_app.domain import files, tools, web_sources
from flask_app.domain.blank import is_blank
from flask_app.domain.serving import ServedModel
from flask_app.domain.tools import Call
from flask_app.domain.web_sources import Search
from flask_app.errors import Invalid
from flask_app.models import Message
from flask_app.services.chat.prompts import Turn
from flask_app.services.files import message_files
from flask_app.services.files.message_files import Attached
from flask_app.services.providers.key_service import Candidate
from flask_app.services.tools import tool_calls
from flask_app.services.web_search import searches

# id, parent_id, role, status, text, has_files, has_search, has_calls
Node = Row[str, str | None, str, str, str, bool, bool, bool]

_MESSAGES = (
    select(
        *(Message.id, Message.parent_id, Message.role, Message.status, Message.text),
        message_files.OF_MESSAGE.label("has_files"),
        searches.OF_MESSAGE.label("has_search"),
        tool_calls.OF_MESSAGE.label("has_calls"),
    )
    .where(Message.conversation_id == bindparam("conversation"))
    .order_by(Message.created_at, Message.id)
)
_THOUGHTS = select(Message.id, Message.reasoning).where(Message.id.in_(bindparam("messages", expanding=True)))


@dataclass(frozen=True, slots=True)
class Said:
    """A message, with the files that go with it, what was found for it, and passages that its assistant knows.

    `calls` were made for the answer that follows it. `thoughts` are an answer's, where they are to be told.
    """

    role: str
    text: str
    attached: Sequence[Attached] = ()
    search: Search | None = None
    known: str = ""
    calls: Sequence[Call] = ()
    thoughts: str | None = None


def messages_of(connection: Connection, conversation_id: str) -> Sequence[Node]:
    """All messages of a conversation, the oldest first."""
    return connection.execute(_MESSAGES, {"conversation": conversation_id}).all()


def said_on(connection: Connection, path: Sequence[Node], *, with_thoughts: bool = False) -> list[Said]:
    """The messages of a branch that say something, in two statements more where there are files, one for searches.

    One more for calls of tools, and one for thoughts, where those are wanted: a model that may call tools gets them.
    """
    found = message_files.of_messages(connection, [message.id for message in path if message.has_files])
    searched = searches.of_messages(connection, [message.id for message in path if message.has_search])
    called = tool_calls.of_messages(connection, [message.id for message in path if message.has_calls])
    calls = {message.parent_id: called.get(message.id, ()) for message in path}
    thoughts = _thoughts(connection, path) if with_thoughts else {}
    said = [
        Said(
            each.role,
            each.text,
            found.get(each.id, ()),
            searched.get(each.id),
            calls=calls.get(each.id, ()),
            thoughts=thoughts.get(each.id),
        )
        for each in path
    ]
    return [each for each in said if each.text or each.attached]


def _thoughts(connection: Connection, path: Sequence[Node]) -> dict[str, str]:
    answers = [message.id for message in path if message.role == "assistant"]
    return {row.id: row.reasoning for row in connection.execute(_THOUGHTS, {"messages": answers})} if answers else {}


def asked_on(connection: Connection, path: Sequence[Node], *, with_thoughts: bool = False) -> list[Said]:
    """The same of a branch that ends with a question that is to be answered.

    Raises Invalid("empty_message") where that says nothing: an earlier one would be answered.
    """
    question = path[-1]
    if is_blank(question.text) and not question.has_files:
        raise Invalid("empty_message")
    return said_on(connection, path, with_thoughts=with_thoughts)


def require_sight(said: Said, model: ServedModel, keys: Sequence[Candidate]) -> None:
    """Raises Invalid("model_cannot_see") where a picture goes to a model that sees none."""
    if any(each.is_picture for each in said.attached) and not _seeing(model, keys):
        raise Invalid("model_cannot_see", model=model.label)


def told(said: Sequence[Said], model: ServedModel, keys: Sequence[Candidate]) -> tuple[list[Turn], Sequence[Candidate]]:
    """The prompt, and who of `keys` may be asked: providers that list the same name need not all see."""
    seeing = _seeing(model, keys)
    turns = _turns([_with_thoughts(each, model) for each in said], sees=bool(seeing))
    return turns, seeing if any(turn.pictures for turn in turns) else keys


def _with_thoughts(said: Said, model: ServedModel) -> Said:
    """Models that think want to have theirs again where there are tools, even none; others know nothing of thoughts."""
    return said if model.thinking else replace(said, thoughts=None)


def _seeing(model: ServedModel, keys: Sequence[Candidate]) -> list[Candidate]:
    """Whom pictures are shown to: nobody where the model that was chosen does not see."""
    return [each for each in keys if each.model.sees] if model.sees else []


def _turns(said: Sequence[Said], *, sees: bool) -> list[Turn]:
    """All pictures of the question are shown, and of others the newest that fit; of one that is not, or where nobody
    sees, its name.
    """
    question = next((each for each in reversed(said) if each.role == "user"), None)
    room, places = files.MOST_PICTURES_BYTES, files.MOST_PICTURES if sees else 0
    turns = []
    for each in reversed(said):
        shown = _shown(each, room, places) if each is not question else _pictures(each) if sees else []
        room, places = room - sum(picture.length for picture in shown), places - len(shown)
        turns.append(_turn(each, shown))
    return turns[::-1]


def _pictures(said: Said) -> list[Attached]:
    return [each for each in said.attached if each.is_picture]


def _shown(said: Said, room: int, places: int) -> list[Attached]:
    """Those of its pictures that fit into so many bytes, and are no more than there are places."""
    shown = list[Attached]()
    for each in _pictures(said):
        if each.length <= room and len(shown) < places:
            shown.append(each)
            room -= each.length
    return shown


def _turn(said: Said, shown: Sequence[Attached]) -> Turn:
    beside = [files.unseen(each.name) if each.is_picture else each.told for each in said.attached if each not in shown]
    if said.thoughts is not None:
        return Turn.of_program({"role": said.role, "content": said.text, "reasoning_content": said.thoughts})
    looked_up, called = (
        web_sources.told(said.search) if said.search and said.role == "user" else "",
        tools.told(said.calls),
    )
    words = "\n\n".join(part for part in (looked_up, called, said.known, *beside, said.text) if part)
    return Turn(said.role, words, images=len(shown), pictures=tuple(shown))
