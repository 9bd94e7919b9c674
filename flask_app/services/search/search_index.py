"""Keeping the index of conversations up with what is written. Sending and settling know nothing of it.

Every worker looks each two seconds for what has been written, ended or deleted since, and adds or removes a little at
a time. A step is read first and then written by whoever is the first to take its turn; who comes later leaves the rest
to that one, until the next look.
"""

import hashlib
import itertools
import random
import threading
import time
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from flask_app import offload
from flask_app.database import fetching, in_writing, table_of
from flask_app.domain import search_terms
from flask_app.models import Conversation, Message, SearchProgress
from flask_app.services.runs import closing, run_service
from flask_app.services.search import search_postings, search_queue
from flask_app.services.search.search_postings import MESSAGES, TITLES, Change, documents
from flask_app.services.search.search_queue import Found

LOOK_SECONDS = 2
FAR_LOOK_EVERY = 150  # five minutes
PAUSE_SECONDS = 0.03  # between two steps, for everybody else
PAUSE_WHILE_BUSY = 20  # times as long as the step took
LONGEST_PAUSE = 4.0
STEP_WORDS = 4_000  # written in one transaction

_messages, _progress = table_of(Message), table_of(SearchProgress)
_TEXTS = select(_messages.c.id, _messages.c.text).where(_messages.c.id.in_(bindparam("ids", expanding=True)))
_ITS_TITLE = select(documents).where(
    documents.c.conversation_id == bindparam("conversation"), documents.c.shelf == TITLES
)

log = structlog.get_logger()
_ended = threading.Event()
_watcher: threading.Thread | None = None


def watch() -> None:
    """Begin to look, on a thread of its own; the server calls this once in each worker."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="search", daemon=True)
        _watcher.start()


def catch_up(*, far: bool = False) -> None:
    """Have everything found that is written by now, and nothing that is deleted; `far`, see farther back for it.

    What is deleted comes first, whoever is busy.
    """
    while not closing.is_closed():
        began = time.monotonic()
        if forget():
            pause = max(PAUSE_SECONDS, time.monotonic() - began)
        elif step(far=far):
            pause = pause_after(time.monotonic() - began, len(run_service.live_runs()))
        else:
            return
        time.sleep(pause)


def pause_after(spent: float, live: int) -> float:
    """Answers come first: while some are made here the index takes a small part of the time, of many a smaller one.

    All in seconds; `live` are those answers.
    A step that a slow disk held up is no reason to rest for long: it took time, and little of the processor.
    """
    rest = min(spent * (PAUSE_WHILE_BUSY + live), LONGEST_PAUSE) if live else 0
    return max(PAUSE_SECONDS, rest)


def step(*, far: bool = False) -> bool:
    """Add a bounded piece; says whether there may be more for this process."""
    with fetching() as connection:
        seen = connection.execute(select(_progress)).one()
        found = search_queue.find(connection, upto=seen.upto, since=seen.since, far=far)
        ids = [row.id for row in found.rows]
        texts = {row.id: row.text for row in connection.execute(_TEXTS, {"ids": ids})} if ids else {}
    if not texts and (found.upto, found.since) == (seen.upto, seen.since):
        return False
    changes, is_all = offload.run(_changes, found, texts)
    passed = {"upto": found.upto, "since": found.since} if is_all else {}
    return _is_written(seen.turn, changes, **passed) and bool(texts or found.since)


def forget() -> bool:
    """Take out a bounded piece of what is deleted; says whether there may be more for this process."""
    with fetching() as connection:
        turn = connection.execute(select(_progress.c.turn)).scalar_one()
        rows = search_queue.gone(connection)
    return bool(rows) and _is_written(turn, offload.run(_removals, rows))


def retitle(connection: Connection, conversation: Conversation) -> None:
    """Have a conversation found by its title, within a turn."""
    there = connection.execute(_ITS_TITLE, {"conversation": conversation.id}).first()
    number, packed = (there.number, there.words) if there else (None, None)
    title = _title(conversation.id, conversation.user_id, conversation.title, number, packed)
    search_postings.write(connection, search_postings.ready([title], STEP_WORDS)[0])


def _removals(rows: Sequence[Any]) -> list[Change]:
    """As many as a step writes. Others are not even unpacked: a hundred of the longest would take much memory."""
    changes: list[Change] = []
    for row in rows:
        if sum(change.work for change in changes) >= STEP_WORDS:
            break
        change = Change(
            user_id=row.user_id,
            shelf=row.shelf,
            number=row.number,
            conversation_id=None,
            message_id=None,
            version=row.version,
            had=search_postings.unpacked(row.words),
            words=frozenset(),
            stays=False,
        )
        changes.append(change)
    return search_postings.ready(changes, STEP_WORDS)[0]


def _is_written(turn: int, changes: list[Change], **passed: str) -> bool:
    """False where another has taken the turn since."""

    def write(connection: Connection) -> bool:
        is_mine = (
            connection.execute(search_postings.TAKE_TURN.where(_progress.c.turn == turn).values(**passed)).rowcount == 1
        )
        if is_mine:
            search_postings.write(connection, changes)
        return is_mine

    try:
        return in_writing(write, alone=True)
    except IntegrityError:  # deleted in this moment: the next step does not find it any more
        log.info("search_step_again")
        return True


def _changes(found: Found, texts: dict[str, str]) -> tuple[list[Change], bool]:
    """Of the messages, and of titles that are not in the index as they are now, as many as a step writes."""
    rows = [row for row in found.rows if row.id in texts]
    titles = {
        row.conversation_id: _title(
            row.conversation_id, row.user_id, row.title, row.title_number, row.title_words, is_old=found.are_old
        )
        for row in rows
    }
    known = {row.conversation_id: row.title_version for row in rows}
    messages = [
        Change(
            user_id=row.user_id,
            shelf=MESSAGES,
            number=row.number,
            conversation_id=row.conversation_id,
            message_id=row.id,
            version=row.run_id or "",
            had=search_postings.unpacked(row.words),
            words=frozenset(search_terms.words_of(texts[row.id])),
            is_old=found.are_old,
        )
        for row in rows
    ]
    new_titles = [title for id_, title in titles.items() if title.version != known[id_]]
    return search_postings.ready([*new_titles, *messages], STEP_WORDS)


def _title(
    conversation_id: str, user_id: str, title: str, number: int | None, packed: bytes | None, *, is_old: bool = False
) -> Change:
    return Change(
        user_id=user_id,
        shelf=TITLES,
        number=number,
        conversation_id=conversation_id,
        message_id=None,
        version=hashlib.sha256(title.encode()).hexdigest(),
        had=search_postings.unpacked(packed),
        words=frozenset(search_terms.words_of(title)),
        is_old=is_old,
    )


def _watch() -> None:
    """Processes that were started together do not look together."""
    for look in itertools.count():
        try:
            catch_up(far=look % FAR_LOOK_EVERY == 0)
        except SQLAlchemyError as error:
            log.warning("search_failed", reason=str(error.__cause__ or error))
        except Exception:  # a fault of ours must not end the looks
            log.exception("search_failed")
        if _ended.wait(LOOK_SECONDS * random.uniform(0.5, 1.5)):  # noqa: S311 - no secret
            return
