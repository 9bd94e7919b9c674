"""Rows that come many in one are those that the query finds."""

from flask import Flask
from sqlalchemy import Integer, String, column, literal, null, select, union_all

from flask_app.database import reading
from flask_app.services.queries import packed

WORDS = ['a "quoted" word', "反斜杠 \\ 和换行\n", "", "🙂"]


def test_rows_come_as_they_are(app: Flask) -> None:
    each = (select(literal(number).label("number"), literal(word).label("word")) for number, word in enumerate(WORDS))
    found = union_all(*each, select(literal(2**52 - 1), null())).subquery()
    for bundle in (found.c.number % 2, found.c.word):
        with reading() as session:
            rows = list(packed.rows(session, packed.pieces(found, bundle)))
        assert sorted(rows, key=lambda row: row[0]) == [*([n, word] for n, word in enumerate(WORDS)), [2**52 - 1, None]]


def test_nothing_is_found_where_nothing_is(app: Flask) -> None:
    none = select(literal(1, Integer).label("number"), column("word", String)).select_from(
        select(literal("x").label("word")).subquery()
    )
    found = none.where(column("word") == "y").subquery()
    with reading() as session:
        assert list(packed.rows(session, packed.pieces(found, found.c.number))) == []
