"""Messages that come in, and their files, as rows: those of a new conversation, and what is new of one that is here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from flask_app.database import fetching, mark_of, table_of
from flask_app.domain import files
from flask_app.models import Conversation, KeptFile, Message, MessageFile, User
from flask_app.services.files import message_files
from flask_app.services.portability import brought_calls, brought_searches, import_quota, message_tree, named_files
from flask_app.services.portability.conversation_format import Said, Talk
from flask_app.services.portability.message_tree import Placed
from flask_app.services.web_search import searches

_conversations, _messages = table_of(Conversation), table_of(Message)
_kept, _goes_with = table_of(KeptFile), table_of(MessageFile)
_OF_SOME = select(_messages.c.conversation_id, _messages.c.id)
_LEFT_OUT = (
    select(_messages.c.conversation_id, _goes_with.c.message_id, _goes_with.c.file_id, _goes_with.c.name)
    .join(_goes_with, _goes_with.c.message_id == _messages.c.id)
    .join(_kept, _kept.c.id == _goes_with.c.file_id)
    .where(_kept.c.absent == files.LEFT_OUT)
)


@dataclass(frozen=True, slots=True)
class Here:
    """What is here of conversations that came in before: marks of messages, and of those with files without content."""

    messages: dict[str, set[str]] = field(default_factory=dict)
    without: dict[str, set[str]] = field(default_factory=dict)

    def lacks(self, conversation_id: str, said_ids: Iterable[str], filled: Iterable[str]) -> bool:
        """Is there more in the file? `filled` are messages whose files it has the contents of.

        What has no message in common came in before messages had marks: it stays as it is.
        """
        here = self.messages.get(conversation_id, set())
        marks = {message_tree.mark(conversation_id, each) for each in said_ids}
        if not marks & here:
            return False
        without = self.without.get(conversation_id, set())
        return bool(marks - here) or any(message_tree.mark(conversation_id, each) in without for each in filled)


def here(conversation_ids: Collection[str]) -> Here:
    """Those of these conversations."""
    found = Here()
    if conversation_ids:
        with fetching() as connection:
            for row in connection.execute(_OF_SOME.where(_messages.c.conversation_id.in_(conversation_ids))):
                found.messages.setdefault(row.conversation_id, set()).add(mark_of(row.id))
            for left in connection.execute(_LEFT_OUT.where(_messages.c.conversation_id.in_(conversation_ids))):
                found.without.setdefault(left.conversation_id, set()).add(mark_of(left.message_id))
    return found


def write(
    connection: Connection, actor: User, placed: Sequence[Placed], contents: Mapping[str, str], now: datetime
) -> None:
    """Within a transaction that holds the person's turn; raises TooMany("import_too_much_today")."""
    rows = [each.row for each in placed]
    attached = named_files.rows(actor, placed, _own(connection, actor, placed, contents, now), now)
    found, made = brought_searches.of(placed), brought_calls.of(placed)
    calls = [call for each in made.values() for call in each]
    size = brought_searches.bytes_in(found.values()) + brought_calls.bytes_in(calls)
    more = import_quota.More(len(attached.goes_with) + len(calls), size)
    import_quota.count(connection, actor.id, rows, more, now)
    for table, some in ((_messages, rows), (_kept, attached.kept), (_goes_with, attached.goes_with)):
        if some:
            connection.execute(insert(table), some)
    searches.bring_in(connection, found)
    brought_calls.write(connection, made)


def go_on(
    connection: Connection, actor: User, conversation_id: str, talk: Talk, contents: Mapping[str, str], now: datetime
) -> bool:
    """Write what is not here yet under what it follows there, and put in contents that were missing; was there any?

    What is here stays as it is. Raises as `message_tree.placed` and `write` do.
    """
    of_it = _OF_SOME.where(_messages.c.conversation_id == conversation_id)
    ids = {mark_of(row.id): row.id for row in connection.execute(of_it)}
    if not any(message_tree.mark(conversation_id, said.id) in ids for said in talk.messages):
        return False
    placed = message_tree.placed(conversation_id, talk.messages, now, ids)
    if placed:
        write(connection, actor, placed, contents, now)
        updated_at, own = message_tree.moment(talk.updated_at, now), _conversations.c.id == conversation_id
        newer = update(_conversations).where(own, _conversations.c.updated_at < updated_at)
        connection.execute(newer.values(updated_at=updated_at))
    said = {ids[mark]: each for each in talk.messages if (mark := message_tree.mark(conversation_id, each.id)) in ids}
    return _fill(connection, actor, conversation_id, said, contents, now) or bool(placed)


def _fill(
    connection: Connection,
    actor: User,
    conversation_id: str,
    said: Mapping[str, Said],
    contents: Mapping[str, str],
    now: datetime,
) -> bool:
    """Put what is in files in the place of their names. `said` are messages of the file, by their ids here."""
    without = [
        row
        for row in connection.execute(_LEFT_OUT.where(_messages.c.conversation_id == conversation_id))
        if row.message_id in said
    ]
    own = _own(connection, actor, [Placed({}, said[row.message_id]) for row in without], contents, now)
    is_any = False
    for row in without:
        given = next(
            (
                own[each.id]
                for each in named_files.of(said[row.message_id])
                if named_files.is_called(each, row.name) and each.id in own
            ),
            None,
        )
        place = (_goes_with.c.message_id == row.message_id, _goes_with.c.file_id)
        if given and not connection.scalar(select(_goes_with.c.position).where(place[0], place[1] == given)):
            connection.execute(update(_goes_with).where(place[0], place[1] == row.file_id).values(file_id=given))
            is_any = True
    return is_any


def _own(
    connection: Connection, actor: User, placed: Sequence[Placed], contents: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """What is gone meanwhile, or is somebody else's, is named alone."""
    own = message_files.mark(connection, actor, named_files.wanted(placed, contents), now)
    return {named: file_id for named, file_id in contents.items() if file_id in own}
