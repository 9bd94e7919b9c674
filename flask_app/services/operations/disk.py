"""The room where this process keeps what it writes: its instance folder, and an SQLite file that lies elsewhere.

Of a database server's disk nothing is known.
"""

import shutil
from pathlib import Path

from flask_app import config
from flask_app.database import engine
from flask_app.errors import Unavailable

MEGABYTE = 1 << 20
LITTLE, NONE = 1024, 100  # megabytes: below the first an operator is warned, below the second it is a fault
RESERVE = 512  # of them are left to messages, the ledger and the journal: files are taken no more


def folders() -> list[Path]:
    """The instance folder, and that of the database where it is another."""
    found, url = [config.current().instance_dir], engine().url
    if url.get_backend_name() == "sqlite" and url.database and (place := Path(url.database).parent).is_dir():
        found += [place] if place != found[0] else []
    return found


def free_bytes(folder: Path) -> int:
    """How many are free."""
    return shutil.disk_usage(folder).free


def require_reserve() -> None:
    """Before something is kept that can do without. Raises Unavailable("disk_full")."""
    place = config.current().files
    also = [place.folder] if place and place.folder else []
    if any(free_bytes(folder) < RESERVE * MEGABYTE for folder in (*folders(), *also)):
        raise Unavailable("disk_full")
