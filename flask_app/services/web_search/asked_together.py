"""Asking for all that is looked up for a question at the same time."""

from collections.abc import Sequence
from contextvars import copy_context
from threading import Thread

import structlog

from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.web_search.asking import Asking

log = structlog.get_logger()


def ask(askings: Sequence[Asking], stop: StopSignal) -> None:
    """Return when each has come to an end. The last is made by the thread that waits, and so is what gets none."""
    *others, last = askings
    threads = []
    for asking in others:
        thread = Thread(target=copy_context().run, args=(_ask, asking, stop), name="lookup", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread to be had
            _ask(asking, stop)
        else:
            threads.append(thread)
    try:
        last.ask(stop)
    finally:
        for thread in threads:
            thread.join()


def _ask(asking: Asking, stop: StopSignal) -> None:
    try:
        asking.ask(stop)
    except Exception:  # a fault of ours: the others come to their end
        log.exception("lookup_failed", run=asking.ticket.call.run_id)
        asking.give_up()
