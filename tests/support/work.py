"""How much a database does for something, apart from how long that takes."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event, text

from flask_app.database import engine, fetching

STEPS = 100  # of SQLite's machine, which are counted together


def work(act: Callable[[], object]) -> int:
    """On a server the rows that it reads, on SQLite what its machine does. Nobody else may ask it meanwhile."""
    return _steps(act) if engine().dialect.name == "sqlite" else _rows_read(act)


def _steps(act: Callable[[], object]) -> int:
    done = 0

    def count() -> None:
        nonlocal done
        done += 1

    def begin(connection: Any, *_: object) -> None:
        connection.connection.dbapi_connection.set_progress_handler(count, STEPS)

    event.listen(engine(), "before_cursor_execute", begin)
    try:
        act()
    finally:
        event.remove(engine(), "before_cursor_execute", begin)
        engine().dispose()
    return done


def _rows_read(act: Callable[[], object]) -> int:
    before = _read_so_far()
    act()
    return _read_so_far() - before


def _read_so_far() -> int:
    with fetching() as connection:
        read = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Handler\\_read%'"))
        return sum(int(row[1]) for row in read)
