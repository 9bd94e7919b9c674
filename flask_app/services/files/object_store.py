"""The store that FILES_URL names: contents as objects, each under a key that nobody guesses.

Whoever asks waits in a thread of the system's own, a few of them at once, and is answered or refused in time.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import ParamSpec, TypeVar

import structlog

from flask_app import config, metrics, offload
from flask_app.errors import Unavailable
from flask_app.files_setting import FilesPlace
from flask_app.services.files.stores import Away, Store

WAIT_SECONDS = 20  # for others' requests
MOST_PUT = 2
RETRY_SECONDS = 5  # until whoever was refused asks again

P = ParamSpec("P")
R = TypeVar("R")

log = structlog.get_logger()
_putting = threading.BoundedSemaphore(MOST_PUT)


def new_key() -> str:
    return secrets.token_hex(24)


def takes_new() -> bool:
    """Do new contents go there?"""
    place = config.current().files
    return place is not None and place.takes_new


def store() -> Store:
    """Raises Away where FILES_URL is not set."""
    place = config.current().files
    if place is None:
        raise Away("FILES_URL is not set")
    return _at(place)


def ask(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """What a store's method gives, or whatever waits for it. Raises Unavailable("files_unavailable")."""
    try:
        return offload.run_for_store(WAIT_SECONDS, work, *args, **kwargs)
    except (Away, TimeoutError) as error:
        raise refused(error) from error


@contextmanager
def turn_to_put() -> Iterator[None]:
    """Within, few others put as well: each holds a whole content, and who reads needs threads too.

    Raises Unavailable("files_unavailable").
    """
    if not _putting.acquire(timeout=WAIT_SECONDS):
        raise refused(TimeoutError())
    try:
        yield
    finally:
        _putting.release()


def refused(error: Exception) -> Unavailable:
    """Noted, and in the words of whoever asked."""
    metrics.STORE_FAILURES.inc()
    log.warning("file_store_failed", reason=str(error) or "others' requests hold all its threads")
    return Unavailable("files_unavailable", retry_after=RETRY_SECONDS)


@lru_cache(maxsize=1)
def _at(place: FilesPlace) -> Store:
    if place.folder:
        from flask_app.services.files.folder_store import FolderStore

        return FolderStore(place.folder)
    from flask_app.services.files.s3_store import S3Store  # and with it what only such a site needs

    return S3Store(place)
