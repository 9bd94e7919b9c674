"""Conversations that stand in a site's database without ever having been had."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import create_engine, delete, event, insert, update
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from flask_app.database import new_id, utc_now
from flask_app.models import Conversation, Folder, Message
from tests.e2e.site import Site


def leave_only(site: Site, *titles: str, apart: timedelta = timedelta(minutes=1), **values: Any) -> list[str]:
    """Conversations of the administrator's with these titles and no others, the first the newest; gives their ids."""
    now = utc_now()
    rows = [
        {"id": new_id(), "user_id": administrator(site), "title": title, "created_at": now, "updated_at": moment}
        | values
        for title, moment in ((title, now - at * apart) for at, title in enumerate(titles))
    ]
    with writing(site) as connection:
        connection.execute(delete(Conversation))
        if rows:
            connection.execute(insert(Conversation), rows)
    return [str(row["id"]) for row in rows]


def fill_list(site: Site, person: str, *, pins: int, others: int, folders: Sequence[str]) -> None:
    """So many pinned conversations of somebody's and others, and folders with three more in each."""
    now = utc_now()
    made = [{"id": new_id(), "user_id": person, "name": name} for name in folders]
    places = (
        [(now, None)] * pins + [(None, None)] * others + [(None, folder["id"]) for folder in made for _ in range(3)]
    )
    rows = [
        {"id": new_id(), "user_id": person, "title": f"Conversation {at}", "pinned_at": pinned, "folder_id": folder}
        | {"created_at": now, "updated_at": now - timedelta(minutes=at)}
        for at, (pinned, folder) in enumerate(places)
    ]
    with writing(site) as connection:
        connection.execute(insert(Folder), made)
        connection.execute(insert(Conversation), rows)


def converse(site: Site, title: str, texts: Sequence[str]) -> tuple[str, list[str]]:
    """A conversation of the administrator's, questions and answers by turns; gives its id and theirs."""
    conversation = new_id()
    with writing(site) as connection:
        row = {"id": conversation, "user_id": administrator(site), "title": title}
        connection.execute(insert(Conversation), [row])
    return conversation, go_on(site, conversation, texts)


def many(site: Site, username: str, count: int) -> None:
    """So many conversations of somebody's, with a question in each."""
    [person] = site.rows("SELECT id FROM users WHERE username = :name", name=username)
    ids, now = [new_id() for _ in range(count)], utc_now()
    row = {"user_id": str(person["id"]), "title": "A question", "created_at": now, "updated_at": now}
    with writing(site) as connection:
        connection.execute(insert(Conversation), [row | {"id": each} for each in ids])
        asked = {"role": "user", "text": "What is it?", "created_at": now}
        connection.execute(insert(Message), [asked | {"id": new_id(), "conversation_id": each} for each in ids])


def go_on(site: Site, conversation: str, texts: Sequence[str], after: str | None = None) -> list[str]:
    """Questions and answers after a message of it, or from the beginning; gives their ids."""
    now, ids = utc_now(), [new_id() for _ in texts]
    rows = [
        {
            "id": ids[at],
            "conversation_id": conversation,
            "parent_id": ids[at - 1] if at else after,
            "role": "assistant" if at % 2 else "user",
            "text": text,
            "model": "deepseek-flash" if at % 2 else None,
            "created_at": now - timedelta(milliseconds=len(texts) - at),
        }
        for at, text in enumerate(texts)
    ]
    with writing(site) as connection:
        connection.execute(insert(Message), rows)
    return ids


def forget(site: Site, conversation: str) -> None:
    with writing(site) as connection:
        # Databases follow a chain of cascades a few steps only.
        connection.execute(update(Message).where(Message.conversation_id == conversation).values(parent_id=None))
        connection.execute(delete(Conversation).where(Conversation.id == conversation))


def administrator(site: Site) -> str:
    [person] = site.rows("SELECT id FROM users ORDER BY created_at LIMIT 1")
    return str(person["id"])


@contextmanager
def writing(site: Site) -> Iterator[Connection]:
    """What goes takes with it what hangs on it, as it does in the server."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def cascade(connection: Any, _: object) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    with engine.begin() as connection:
        yield connection
    engine.dispose()
