"""Places for what is done at once: so many in this process, and fewer of one person, so that nobody takes them all."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from flask_app.errors import Unavailable

WAIT_SECONDS, RETRY_SECONDS = 20, 5  # for a place, and until who waited in vain asks again


class Places:
    """`most` in all, `most_of_one` of a person."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.most, self.most_of_one = most, most_of_one
        self._taken: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def one_of(self, user_id: str) -> Iterator[None]:
        """Within, one is taken. Raises Unavailable("files_busy") where none is free in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_free(user_id), WAIT_SECONDS):
                raise Unavailable("files_busy", retry_after=RETRY_SECONDS)
            self._taken[user_id] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= Counter([user_id])
                self._changed.notify_all()

    def _is_free(self, user_id: str) -> bool:
        return self._taken.total() < self.most and self._taken[user_id] < self.most_of_one
