"""What a slow disk does, as far as SQLite's caller can see, while there is a file `slow` in the server's home.

Python loads it first, as `sitecustomize`.
"""

_DISK = """
import os, sqlite3, time
from sqlite3 import dbapi2
_connect, _sleep = dbapi2.connect, time.sleep
class Slow(sqlite3.Connection):
    def commit(self):
        if os.path.exists(os.environ["HOME"] + "/slow"):
            _sleep({seconds})
        super().commit()
def connect(*names, **terms):
    return _connect(*names, **terms, factory=Slow)
dbapi2.connect = sqlite3.connect = connect
"""


def taking(seconds: float) -> str:
    """The text of a `sitecustomize` by which each COMMIT takes so long."""
    return _DISK.format(seconds=seconds)
