"""Reads one answer as gunicorn's worker does: `gevent_reader SCHEME PORT`, then `whole`, `shut` or `fault`, and `many`
where it is one of so many that it waits for its turns.

Says its length, or the name of what ended it: `shut` by another thread, or by a `fault` of whoever takes it.
"""

import runpy
import sys
import threading
from pathlib import Path

from gevent import monkey

CONFIGURATION = Path(__file__).parents[2] / "gunicorn.conf.py"
SHUT_AFTER_SECONDS = 0.3


def main(scheme: str, port: str, how: str, beside: str = "") -> str:
    from flask_app.upstream import connection, response, turns

    if beside == "many":
        turns.MANY = 0
    connection.watch_with(runpy.run_path(str(CONFIGURATION))["_Watcher"])
    made = connection.Connection(connection.Origin(scheme, "localhost", int(port), allow_insecure=True))
    made.connect(5)
    made.send("GET", "/", {}, b"")
    made.read_head(None)
    if how == "shut":
        threading.Timer(SHUT_AFTER_SECONDS, made.shutdown).start()
    length = 0

    def take(data: bytes) -> bool:
        nonlocal length
        length += len(data)
        if how == "fault":
            raise ZeroDivisionError
        return bool(data)

    try:
        made.read_each(take)
    except (response.BrokenResponse, ZeroDivisionError) as error:
        return type(error).__name__
    finally:
        made.close()
    return str(length)


if __name__ == "__main__":
    monkey.patch_all()
    sys.stdout.write(main(*sys.argv[1:]))
