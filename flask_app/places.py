"""Why a folder or a file of the instance cannot be used, in a sentence that says whose it is and what to do."""

import os
from pathlib import Path

_SQLITE = b"SQLite format 3\0"


def folder_complaint(folder: Path) -> str | None:
    """None where files can be made in it."""
    return None if os.access(folder, os.R_OK | os.W_OK | os.X_OK) else _not_ours("folder", folder)


def secret_complaint(file: Path) -> str | None:
    """None where it can be read, and where it is not there yet."""
    return None if not file.exists() or os.access(file, os.R_OK) else _not_ours("file", file)


def database_complaint(file: Path) -> str | None:
    """None for a file that SQLite can use, an empty one, and one that is not there yet."""
    if not file.is_file():
        return None
    if not os.access(file, os.R_OK | os.W_OK):
        return _not_ours("file", file)
    with file.open("rb") as opened:
        beginning = opened.read(len(_SQLITE))
    if not beginning or beginning == _SQLITE:
        return None
    return (
        f"the file {file} (owner: {_owner(file)}) is not an SQLite database: put a copy of the database in its place, "
        "or move it away to begin with an empty one"
    )


def _not_ours(kind: str, place: Path) -> str:
    mode = "u+rwX" if kind == "folder" else "u+rw"
    return (
        f"the {kind} {place} (owner: {_owner(place)}) cannot be read and written by {_myself()}, who starts MingChat: "
        f"start it as the owner, or `chown {_myself()} {place}` and `chmod {mode} {place}`"
    )


def _owner(place: Path) -> str:
    try:
        return place.owner()
    except (KeyError, NotImplementedError):  # a user without a name; Windows
        return str(place.stat().st_uid)


def _myself() -> str:
    if os.name != "posix":
        return "the user"
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's number without a name
        return str(os.geteuid())
