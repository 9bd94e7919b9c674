"""What is done on schedule: lists of models and balances are read from the providers, then people are warned,
and what is kept for a while alone is removed. Each by one process of all, or by whoever comes first.
"""

import random
import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from flask_app.database import utc_now
from flask_app.services.files import file_retention, removed_objects
from flask_app.services.gateway import program_keys, request_log, request_retention, word_log
from flask_app.services.operations import process_service
from flask_app.services.operations.process_service import Ran
from flask_app.services.people import account_deletion, invitation_letters, registration_service
from flask_app.services.providers import model_lists
from flask_app.services.reconciliation import balance_service
from flask_app.services.search import search_index
from flask_app.services.sharing import share_service
from flask_app.services.sign_in import left_identities
from flask_app.services.site import retention_settings
from flask_app.services.warnings import delivery_service, warning_service

ROUND_SECONDS = 60
JOBS = (
    model_lists.sync_due,
    balance_service.read_due,
    warning_service.look,
    delivery_service.deliver_due,
    invitation_letters.send_due,
    request_retention.prune,
    retention_settings.prune,
    program_keys.prune,
    registration_service.prune,
    word_log.prune,
    account_deletion.finish,
    left_identities.prune,
    share_service.prune,
    file_retention.prune,
    removed_objects.prune,
)

log = structlog.get_logger()
_ended = threading.Event()
_watcher: threading.Thread | None = None
_ran: dict[str, Ran] = {}


def watch() -> None:
    """Begin to look for what is due, on threads of their own; the server calls this once in each worker."""
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="upkeep", daemon=True)
        _watcher.start()
        search_index.watch()
        request_log.watch()


def end() -> None:
    """No further round; this process is on the list of those that serve no longer."""
    _ended.set()
    _do("process_service", process_service.end)


def tick() -> None:
    """One round. A job that fails keeps no other from its turn, and has another in the next round."""
    for job in JOBS:
        name = job.__module__.rpartition(".")[2]
        done = _do(name, job)
        _ran[name] = Ran(utc_now(), failed=not done)
    _do("process_service", lambda: process_service.tell(_ran))


def _do(name: str, job: Callable[[], object]) -> bool:
    """False where it failed."""
    try:
        job()
    except SQLAlchemyError as error:
        log.warning("upkeep_failed", job=name, reason=str(error.__cause__ or error))
    except Exception:  # a fault of ours must not end the rounds
        log.exception("upkeep_failed", job=name)
    else:
        return True
    return False


def _watch() -> None:
    """Processes that were started together do not look together, but say at once that they are there."""
    _do("process_service", lambda: process_service.tell(_ran))
    while not _ended.wait(ROUND_SECONDS * random.uniform(0.5, 1.5)):  # noqa: S311 - no secret
        tick()
