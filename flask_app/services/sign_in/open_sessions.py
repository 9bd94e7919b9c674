"""Which sessions of those who read here are over: one look at them all, so that no stream waits for the database."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from flask_app.services.sign_in import visits

LOOK_SECONDS = 5

log = structlog.get_logger()
_guard = threading.Lock()
_readings: set["Reading"] = set()
_looker: threading.Thread | None = None


class Reading:
    """Something that is sent for as long as a session goes on. `is_over`: it has ended, as of the last look."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.is_over = False


@contextmanager
def reading_in(session_id: str) -> Iterator[Reading]:
    """While the block runs, somebody reads here within this session (the stored digest)."""
    global _looker
    reading = Reading(session_id)
    with _guard:
        _readings.add(reading)
        if _looker is None:
            _looker = threading.Thread(target=_watch, name="sessions", daemon=True)
            _looker.start()
    try:
        yield reading
    finally:
        with _guard:
            _readings.discard(reading)


def look() -> None:
    """Ask once about all of them."""
    with _guard:
        readings = list(_readings)
    if not readings:
        return
    going_on = visits.open_among({reading.session_id for reading in readings})
    for reading in readings:
        reading.is_over = reading.session_id not in going_on


def _watch() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            look()
        except SQLAlchemyError as error:  # a database that is away ends no stream: it is asked again soon
            log.warning("sessions_not_checked", reason=str(error.__cause__ or error))
        except Exception:  # a fault of ours must not leave every later reader unwatched
            log.exception("sessions_not_checked")
