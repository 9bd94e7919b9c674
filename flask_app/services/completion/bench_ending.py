"""The end of a key's bench, once its probe was let in."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from flask_app.services.completion import cooldown_service
from flask_app.services.completion.attempts import Dispatched
from flask_app.services.completion.cooldown_service import Taken

log = structlog.get_logger()


def end_bench(taken: Taken, sent: Dispatched) -> None:
    """A database that is away keeps no answer: the bench ends when that is booked."""
    try:
        cooldown_service.note_opened(taken, sent.at)
    except SQLAlchemyError as error:
        log.warning("bench_not_ended", key=taken.key.id, reason=str(error.__cause__ or error))
