"""Conversations in which nobody has written for too long: counted, and removed one after the other.

Pinned and archived ones go too: what a site promises to delete is deleted. The ledger keeps the counts.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from flask_app.database import fetching, in_writing, table_of
from flask_app.models import Conversation, Setting, User
from flask_app.services.conversations import conversation_service
from flask_app.services.ledger import replay_service
from flask_app.services.runs import closing

TURN = "retention_turn"
TURN_SECONDS = 600  # how long one process of all removes what is due, until it is anybody's turn
BATCH = 50  # found at once
MOST_AT_ONCE = 2000  # in one turn
PAUSE_SECONDS = 0.02  # between two, for everybody else

Rule = tuple[datetime, ColumnElement[bool]]

_conversations, _users, _settings = table_of(Conversation), table_of(User), table_of(Setting)

log = structlog.get_logger()


def count(rules: Sequence[Rule]) -> tuple[int, int]:
    """How many are too old by now, and of how many people."""
    conversations = people = 0
    with fetching() as connection:
        for rule in rules:
            found = _due(rule).with_only_columns(func.count(), func.count(_conversations.c.user_id.distinct()))
            row = connection.execute(found).one()
            conversations, people = conversations + row[0], people + row[1]
    return conversations, people


def take_turn(now: datetime) -> bool:
    """Is it this process that removes what is due? For `TURN_SECONDS` no other does."""
    until = (now + timedelta(seconds=TURN_SECONDS)).isoformat()
    free = update(_settings).where(_settings.c.name == TURN, _settings.c.value <= now.isoformat())

    def work(connection: Connection) -> bool:
        if connection.execute(free.values(value=until)).rowcount:
            return True
        if connection.scalar(select(_settings.c.name).where(_settings.c.name == TURN)):
            return False
        connection.execute(insert(_settings), {"name": TURN, "value": until})
        return True

    try:
        return in_writing(work)
    except IntegrityError:  # another has taken the first turn of all
        return False


def remove(rules: Sequence[Rule]) -> None:
    """Delete what is too old, a transaction each; what a turn does not come to is left to the next."""
    replay_service.replay()  # what waits for the database would otherwise come when the words are gone
    removed = 0
    for rule in rules:
        query = _due(rule).order_by(_conversations.c.updated_at).limit(BATCH)
        while removed < MOST_AT_ONCE and not closing.is_closed():
            with fetching() as connection:
                found = connection.scalars(query).all()
            gone = sum(_expire(each, rule[0]) for each in found)
            removed += gone
            if not gone:
                break
    if removed:
        log.info("conversations_expired", count=removed)


def _expire(conversation_id: str, before: datetime) -> bool:
    time.sleep(PAUSE_SECONDS)
    return conversation_service.expire(conversation_id, before)


def _due(rule: Rule) -> Select[str]:
    before, whose = rule
    of_person = _conversations.c.archived.in_([False, True])  # which is what the index of a person's list has next
    return (
        select(_conversations.c.id)
        .select_from(_conversations)
        .join(_users, _users.c.id == _conversations.c.user_id)
        .where(whose, of_person, _conversations.c.updated_at < before)
    )
