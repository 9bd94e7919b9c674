"""The lines to the database, one of each instance, as if they were one."""

import threading

from tests.support.proxies import Proxy


class Lines:
    def __init__(self, *each: Proxy) -> None:
        self._each = each
        self.lost = threading.Event()

    def __getitem__(self, number: int) -> Proxy:
        """The line of one instance alone."""
        return self._each[number]

    def refuse(self) -> None:
        for line in self._each:
            line.refuse()

    def hang(self) -> None:
        for line in self._each:
            line.hang()

    def mend(self) -> None:
        for line in self._each:
            line.mend()

    def lose_the_next_commit(self) -> None:
        """Of whichever instance: once one has lost its own, the others lose none."""
        self.lost.clear()
        for line in self._each:
            line.lose_the_next_commit(self._lost)

    def _lost(self) -> None:
        self.mend()
        self.lost.set()
