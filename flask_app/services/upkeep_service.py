"""What is read from the providers on schedule: balances, lists of models. Each by one process of all."""

import random
import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from flask_app.services import balance_service, model_service

ROUND_SECONDS = 60

log = structlog.get_logger()
_ended = threading.Event()
_watcher: threading.Thread | None = None


def watch() -> None:
    """Begin to look for what is due, on a thread of its own; the server calls this once in each worker."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="upkeep", daemon=True)
        _watcher.start()


def tick() -> None:
    """One round."""
    model_service.sync_due()
    balance_service.read_due()


def _watch() -> None:
    """Processes that were started together do not look together."""
    while not _ended.wait(ROUND_SECONDS * random.uniform(0.5, 1.5)):  # noqa: S311 - no secret
        try:
            tick()
        except SQLAlchemyError as error:  # the next round tries again
            log.warning("upkeep_failed", reason=str(error.__cause__ or error))
        except Exception:  # a fault of ours must not end the rounds
            log.exception("upkeep_failed")
