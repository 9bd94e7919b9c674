"""A database that is made as a whole, or not at all: SQLite in a file beside, a server's tables in their place."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_app import config, durable
from flask_app.errors import Conflict
from flask_app.transfer.store import Store, file_of

_BESIDE = ("", "-wal", "-shm")  # SQLite finds these by the database's name


@contextmanager
def building(url: str, aside: str, *, replace: bool) -> Iterator[Store]:
    """What the block fills becomes the database at `url`; where it fails, nothing of it stays.

    `replace`: whatever is there goes, an SQLite file to the same name with `aside` behind it.
    Raises Conflict("database_not_empty") where somebody has used it already.
    """
    is_blank = _is_blank(url)
    if not is_blank and not replace:
        raise Conflict("database_not_empty")
    file = file_of(url)
    if file is None:
        with _on_server(url) as target:
            yield target
        return
    fresh = file.with_name(f"{file.name}.new")
    _remove(fresh)
    try:
        with Store(f"{config.SQLITE}{fresh}") as target:
            yield target
        _put(fresh, file, None if is_blank else f"{file.name}.{aside}")
    finally:
        _remove(fresh)


@contextmanager
def _on_server(url: str) -> Iterator[Store]:
    with Store(url) as target:
        try:
            yield target
        except BaseException:  # a person who breaks it off is one too
            target.wipe()
            raise


def _is_blank(url: str) -> bool:
    file = file_of(url)
    if file is not None and not file.exists():
        return True
    with Store(url) as present:
        return present.is_blank()


def _put(fresh: Path, file: Path, aside: str | None) -> None:
    if aside is None:
        _remove(file)
    for end in _BESIDE:
        present = Path(f"{file}{end}")
        if present.exists():
            present.rename(file.with_name(f"{aside}{end}"))
    fresh.chmod(0o600)
    fresh.rename(file)
    durable.sync(file.parent)


def _remove(file: Path) -> None:
    for end in _BESIDE:
        Path(f"{file}{end}").unlink(missing_ok=True)
