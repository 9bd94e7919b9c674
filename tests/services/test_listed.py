"""Rows handed over in one value are a table on each kind of database."""

from sqlalchemy.dialects import mysql, sqlite

from flask_app.services.queries import listed


def test_a_list_is_a_table_for_every_database() -> None:
    query = listed.blocks("looked_up").select()
    on_sqlite, on_mysql = (query.compile(dialect=each.dialect()) for each in (sqlite, mysql))
    assert "json_each(?)" in str(on_sqlite)
    assert "->" not in str(on_sqlite), "SQLite knows the arrow since 3.38, of which Python 3.11 may be older"
    assert "JSON_TABLE(%s, '$[*]' COLUMNS (slice VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin" in str(on_mysql)
    for compiled in (on_sqlite, on_mysql):
        assert list(compiled.params) == ["looked_up"]
    assert listed.parameter([("person_day", 20000, 0, -1)]) == '[["person_day",20000,0,-1]]'
