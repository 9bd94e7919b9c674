"""Prepared statements write and find what SQLAlchemy's own way would, and refuse to guess."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from flask_app.database import fetching, in_writing, new_id, table_of
from flask_app.models import Conversation, User
from flask_app.statements import Prepared, Query, execute
from tests.support.storage import counted_statements

conversations = table_of(Conversation)
BEIJING = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)


def row_of(person: User, **values: Any) -> dict[str, Any]:
    return {"id": new_id(), "user_id": person.id, "title": "明聊 🀄", "created_at": NOON, "updated_at": NOON} | values


def titles_of(user_id: str) -> list[tuple[str, datetime]]:
    query = select(conversations.c.title, conversations.c.updated_at).where(conversations.c.user_id == user_id)
    with fetching() as connection:
        return [(row.title, row.updated_at) for row in connection.execute(query.order_by(conversations.c.id))]


def test_values_go_the_way_of_their_columns_types(member: User) -> None:
    written, later = Prepared(insert(conversations)), (NOON + timedelta(hours=1)).astimezone(BEIJING)
    in_writing(lambda connection: written.run(connection, row_of(member, updated_at=later)))
    assert titles_of(member.id) == [("明聊 🀄", NOON + timedelta(hours=1))]


def test_several_rows_are_written_at_once(member: User) -> None:
    rows = [row_of(member, id=f"{number:026d}", title=str(number)) for number in range(3)]
    in_writing(lambda connection: Prepared(insert(conversations)).run_each(connection, rows))
    assert [title for title, _ in titles_of(member.id)] == ["0", "1", "2"]


def test_what_stands_in_the_statement_need_not_be_given(member: User) -> None:
    in_writing(lambda connection: Prepared(insert(conversations)).run(connection, row_of(member, title="before")))
    renamed = Prepared(
        update(conversations)
        .where(conversations.c.user_id == bindparam("whose"), conversations.c.title == "before")
        .values(title="after", updated_at=bindparam("now"))
    )
    for changed in (1, 0):
        done = in_writing(lambda connection: renamed.run(connection, {"whose": member.id, "now": NOON}).rowcount)
        assert done == changed
    assert titles_of(member.id) == [("after", NOON)]


def test_an_id_that_cannot_be_one_is_not_found(app: Flask) -> None:
    touched = Prepared(
        update(conversations).where(conversations.c.id == bindparam("which")).values(updated_at=bindparam("now"))
    )
    assert in_writing(lambda connection: touched.run(connection, {"which": "明", "now": NOON}).rowcount) == 0


def test_a_broken_rule_is_told_as_ever(member: User) -> None:
    row, written = row_of(member), Prepared(insert(conversations))
    in_writing(lambda connection: written.run(connection, row))
    with pytest.raises(IntegrityError):
        in_writing(lambda connection: written.run(connection, row))


def test_defaults_and_other_parameters_are_refused(member: User) -> None:
    row, written = row_of(member), Prepared(insert(conversations))
    without = {name: value for name, value in row.items() if name != "created_at"}
    with pytest.raises(ValueError, match="created_at"):
        in_writing(lambda connection: Prepared(insert(conversations)).run(connection, without))
    in_writing(lambda connection: written.run(connection, row))
    for other in (without, without | {"pinned": True}):
        with pytest.raises((ValueError, KeyError)):
            in_writing(lambda connection, other=other: written.run(connection, other))  # type: ignore[misc]
    with pytest.raises(ValueError, match="other parameters"):
        in_writing(lambda connection: written.run(connection, row | {"pinned": True}))
    assert len(titles_of(member.id)) == 1


def test_one_value_is_enough(member: User) -> None:
    in_writing(lambda connection: Prepared(insert(conversations)).run(connection, row_of(member)))
    forgotten = Prepared(delete(conversations).where(conversations.c.user_id == bindparam("whose")))
    assert in_writing(lambda connection: forgotten.run(connection, {"whose": member.id}).rowcount) == 1


def test_rows_are_found_by_name_as_their_columns_types_have_them(member: User) -> None:
    rows = [row_of(member, id=f"{number:026d}", title=str(number)) for number in range(3)]
    in_writing(lambda connection: Prepared(insert(conversations)).run_each(connection, rows))
    mine = Query(
        select(
            conversations.c.title,
            conversations.c.updated_at.label("moment"),
            (conversations.c.title == "2").label("is_last"),
        )
        .where(conversations.c.user_id == bindparam("whose"), conversations.c.title != "1")
        .order_by(conversations.c.id.desc())
    )
    with fetching() as connection:
        found = mine.rows(connection, {"whose": member.id})
        first, value = mine.row(connection, {"whose": member.id}), mine.value(connection, {"whose": member.id})
        nobodys = {"whose": "nobody"}
        nothing = mine.rows(connection, nobodys), mine.row(connection, nobodys), mine.value(connection, nobodys)
    shown = [(row.title, row.moment, row.is_last) for row in found]
    assert shown == [("2", NOON, True), ("0", NOON, False)]
    assert [type(row.is_last) for row in found] == [bool, bool]
    assert (first, value, nothing) == (found[0], "2", ([], None, None))


def test_what_is_asked_for_in_two_columns_may_be_no_id(member: User) -> None:
    in_writing(lambda connection: Prepared(insert(conversations)).run(connection, row_of(member)))
    for first, second in ((conversations.c.id, conversations.c.title), (conversations.c.title, conversations.c.id)):
        named = Query(select(conversations.c.title).where(or_(first == bindparam("it"), second == bindparam("it"))))
        with fetching() as connection:
            assert named.value(connection, {"it": "明聊 🀄"}) in {"明聊 🀄", None}


def test_a_query_refuses_other_parameters(member: User) -> None:
    mine = Query(select(conversations.c.title).where(conversations.c.user_id == bindparam("whose")))
    with fetching() as connection:
        with pytest.raises(ValueError, match="whose"):
            mine.rows(connection, {})
        assert mine.rows(connection, {"whose": member.id}) == []
        with pytest.raises(ValueError, match="other parameters"):
            mine.rows(connection, {"whose": member.id, "pinned": True})


def test_what_the_database_refuses_is_told_without_the_values(app: Flask) -> None:
    with fetching() as connection, pytest.raises(DBAPIError) as caught:
        execute(connection, "SELECT nothing FROM nowhere")
    assert caught.value.orig is not None
    with pytest.raises(IntegrityError) as refused:
        in_writing(lambda connection: Prepared(insert(conversations)).run(connection, row_of(User(id="no one"))))
    assert "no one" not in str(refused.value).replace(str(refused.value.orig), "")


def test_who_listens_for_statements_hears_of_these(member: User) -> None:
    mine = Query(select(conversations.c.title).where(conversations.c.user_id == bindparam("whose")))
    written = Prepared(insert(conversations))
    with counted_statements() as heard:
        with fetching() as connection:
            mine.rows(connection, {"whose": member.id})
        in_writing(lambda connection: written.run_each(connection, [row_of(member), row_of(member)]))
    assert [statement.split()[0] for statement in heard] == ["SELECT", "INSERT"]
    assert len(titles_of(member.id)) == 2
