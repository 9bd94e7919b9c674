"""Pages of a long list are read where they lie in an index."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text, update

from flask_app.database import engine, fetching, transaction, utc_now
from flask_app.models import Conversation, User
from flask_app.services.conversations import conversation_lists, folder_service
from flask_app.services.conversations.conversation_lists import UNFILED
from tests.conftest import MakeUser
from tests.support.listing import fill

FOLDER = "of the person"
SORTED = ("TEMP B-TREE", "filesort")


@pytest.fixture
def long(make_user: MakeUser) -> User:
    """Somebody with a long list, a long archive, a full folder, and pins in all; there are others with as many."""
    people = [make_user("long"), make_user("other")]
    for person in people:
        listed = fill(person, 1500)
        with transaction() as session:
            folder = {"folder_id": folder_service.make(person, FOLDER).id}
            parts = (({"archived": True}, listed[::2]), ({"pinned_at": utc_now()}, listed[::75]), (folder, listed[::3]))
            for values, part in parts:
                session.execute(update(Conversation).where(Conversation.id.in_(part)).values(values))
    with fetching() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text("ANALYZE TABLE conversations"))
    return people[0]


@pytest.fixture
def asked() -> Iterator[list[tuple[str, Any]]]:
    """Every statement and its values."""
    seen: list[tuple[str, Any]] = []

    def keep(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        seen.append((statement, values))

    event.listen(engine(), "before_cursor_execute", keep)
    yield seen
    event.remove(engine(), "before_cursor_execute", keep)


def test_no_list_is_sorted(long: User, asked: list[tuple[str, Any]]) -> None:
    for archived in (False, True):
        before = None
        for _ in range(4):
            page, before = conversation_lists.listed(long, archived=archived, before=before, limit=100)
            assert len(page) == 100
    assert len(conversation_lists.pinned(long)) == 10
    by_time, by_pin = (f"ix_conversations_user_id_archived_{column}_id" for column in ("updated_at", "pinned_at"))
    assert [index_of(*each) for each in asked.copy()] == [*[by_time] * 8, by_pin]


@pytest.mark.parametrize("folder", [UNFILED, FOLDER])
def test_no_folder_is_sorted(long: User, asked: list[tuple[str, Any]], folder: str) -> None:
    if folder == FOLDER:
        folder = folder_service.listed(long)[0].id
    before = None
    asked.clear()
    for _ in range(2):
        page, before = conversation_lists.listed(long, folder=folder, before=before, limit=100)
        assert len(page) == 100
    assert before
    by_folder = "ix_conversations_user_id_archived_folder_id_updated_at_id"
    assert [index_of(*each) for each in asked.copy()] == [by_folder] * 2


def index_of(statement: str, values: Any) -> str:
    """By which index it is read; fails where rows are sorted."""
    with fetching() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        explain = "EXPLAIN QUERY PLAN" if on_sqlite else "EXPLAIN"
        plan = connection.exec_driver_sql(f"{explain} {statement}", values).all()
    told = " ".join(str(tuple(step)) for step in plan)
    assert not [word for word in SORTED if word in told], told
    if not on_sqlite:
        return str(plan[0].key)
    detail = str(next(step.detail for step in plan if "SEARCH conversations" in step.detail))
    return next(word for word in detail.split() if word.startswith("ix_"))
