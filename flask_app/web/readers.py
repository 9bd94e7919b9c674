"""How many answers one person may follow at once: each stream holds a connection of this process."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response

from flask_app import config, metrics
from flask_app.errors import TooMany
from flask_app.utils import get_current_user

MOST_STREAMS = 20  # of one person; a browser opens one for each tab
STREAMS_PER_RUN = 2  # at least, where MAX_RUNS_PER_USER is high
RETRY_SECONDS = 15  # by then a reader that has gone is noticed

_open: Counter[str] = Counter()
_guard = threading.Lock()


def limits_readers(view: Callable[..., Response]) -> Callable[..., Response]:
    """Count the view's reply, until its last byte, among the person's streams.

    Raises TooMany("too_many_streams") before the view begins.
    """

    @wraps(view)
    def counted(*args: Any, **kwargs: Any) -> Response:
        user_id = get_current_user().id
        _enter(user_id)
        try:
            response = view(*args, **kwargs)
        except BaseException:
            _leave(user_id)
            raise
        if response.is_streamed:
            response.call_on_close(lambda: _leave(user_id))
        else:
            _leave(user_id)
        return response

    return counted


def _enter(user_id: str) -> None:
    limit = max(MOST_STREAMS, STREAMS_PER_RUN * config.current().max_runs_per_user)
    with _guard:
        if _open[user_id] >= limit:
            raise TooMany("too_many_streams", limit=limit, retry_after=RETRY_SECONDS)
        _open[user_id] += 1
    metrics.READERS.inc()


def _leave(user_id: str) -> None:
    with _guard:
        _open[user_id] -= 1
        if not _open[user_id]:
            del _open[user_id]
    metrics.READERS.dec()
