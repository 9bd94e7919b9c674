"""Many answers at once take turns: each is read ten times a second, or seven, however many pieces it comes in.

To read costs the same whether one token has come or three, and so do the reader's part of the way and each reader's
own. A process that writes a few hundred answers has little of its processor left for those that begin: it looks at
each of them a tenth of a second later instead, and finds what has come meanwhile. Those that begin are read at once.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

MANY = 250  # answers that one process reads
MORE = 400  # from so many on a turn comes later
SECONDS = 0.1  # from one turn to the next, where they are no more
AT_ONCE = 4  # an answer's first looks, whatever there is beside it: nobody waits for a first token
SLOTS = 25  # of those seconds: in each a part has its turn, so that nobody who begins stands behind many of the others
LATER_SLOTS = 38  # where they are more

Look = Callable[[], bool]


class Watcher(Protocol):
    """What an event loop has for a socket: calls what it is given whenever there is something to read."""

    def start(self, call: Callable[[], object]) -> None: ...

    def stop(self) -> None: ...


class Sleeper(Protocol):
    """The thread whose answer it is: it sleeps until one of these is called, on the loop."""

    def switch(self, value: object) -> object: ...

    def throw(self, error: BaseException) -> object: ...


class Turns:
    """The turns of what is read on an event loop. `timer` calls what it is given every SECONDS / SLOTS.

    They `are_taken` where there are so many that each waits for its own.
    """

    def __init__(self, timer: Watcher) -> None:
        self._timer = timer
        self._slots: list[list[Look]] = [[] for _ in range(SLOTS)]
        self._next = 0
        self._is_running = False
        self._readers = 0
        self.are_taken = False

    def count(self, change: int) -> None:
        """As many more, or less, are read."""
        self._readers += change
        self.are_taken = self._readers > MANY

    def reading(self, look: Look, watcher: Watcher, sleeper: Sleeper) -> "Reading":
        """To be entered for as long as it is read: `look` is called on the loop until it gives False, or until then.

        `sleeper` hears when it does, or what it has raised.
        """
        return Reading(self, look, watcher, sleeper)

    def wait(self, look: Look) -> None:
        """Have `look` called at each of its turns until it gives False. It joins those that are the fewest."""
        min(self._slots, key=len).append(look)
        if not self._is_running:
            self._is_running = True
            self._timer.start(self._take)

    def _take(self) -> None:
        """One slot's turn. Whoever joins it meanwhile has the next."""
        at = self._next
        looks, self._slots[at] = self._slots[at], []
        self._slots[at] += [look for look in looks if look()]
        self._next = (at + 1) % len(self._slots)
        if self._next == 0:
            self._fit()
        if not any(self._slots):
            self._is_running = False
            self._timer.stop()

    def _fit(self) -> None:
        """Have as many slots as there should be: new ones fill by and by, and who was in one too many joins others."""
        wanted = LATER_SLOTS if self._readers > MORE else SLOTS
        self._slots += [[] for _ in range(len(self._slots), wanted)]
        left = [look for slot in self._slots[wanted:] for look in slot]
        del self._slots[wanted:]
        for look in left:
            min(self._slots, key=len).append(look)


class Reading:
    """An answer that is read: whenever something comes, or at its turns."""

    __slots__ = ("_is_over", "_look", "_looks", "_sleeper", "_turns", "_waits", "_watcher")

    def __init__(self, turns: Turns, look: Look, watcher: Watcher, sleeper: Sleeper) -> None:
        self._turns, self._look, self._watcher, self._sleeper = turns, look, watcher, sleeper
        self._looks = 0  # while there were many
        self._is_over = self._waits = False

    def __enter__(self) -> None:
        self._turns.count(+1)
        self._watcher.start(self._has_come)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._is_over = True
        self._turns.count(-1)
        self._watcher.stop()

    def _has_come(self) -> bool:
        """Does it go on? This is called for nearly every token: its look is called right here."""
        try:
            goes_on = self._look()
        except Exception as error:  # noqa: BLE001 - raised in the thread that asked
            self._sleeper.throw(error)
            return False
        if not goes_on:
            self._sleeper.switch(None)
        elif self._turns.are_taken and not self._waits:
            self._join()
        return goes_on

    def _join(self) -> None:
        self._looks += 1
        if self._looks > AT_ONCE:
            self._waits = True
            self._watcher.stop()
            self._turns.wait(self._has_its_turn)

    def _has_its_turn(self) -> bool:
        if self._is_over or not self._has_come():
            return False
        self._waits = self._turns.are_taken
        if not self._waits:
            self._watcher.start(self._has_come)
        return self._waits
