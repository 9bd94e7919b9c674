"""How the answers of one attempt end: the one, or as many as were asked for at once."""

from collections.abc import Mapping

from flask_app.domain.events import Event, Finished, OfChoice

# What providers say at the end of an answer that is not whole, and what it means.
_BROKEN_OFF: dict[str | None, str] = {None: "upstream_cut", "insufficient_system_resource": "upstream_overloaded"}


class Ending:
    """What has been said of it so far. Of several answers each has an end of its own."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._of_all: str | None = None  # of the one, or where all were cut together
        self._reasons: dict[int, str | None] = {}

    @classmethod
    def of(cls, options: Mapping[str, object]) -> "Ending":
        """Before anything was said of what is asked for with these."""
        asked = options.get("n")
        return cls(asked if isinstance(asked, int) else 1)

    def hear(self, event: Event) -> None:
        """Answers that nobody asked for do not count."""
        if isinstance(event, Finished):
            self._of_all = event.reason
        elif isinstance(event, OfChoice) and event.index < self._count:
            reason = event.event.reason if isinstance(event.event, Finished) else self._reasons.get(event.index)
            self._reasons[event.index] = reason

    @property
    def is_whole(self) -> bool:
        """Has all that was asked for come to an end of its own? What may follow is a count, and the end of the line."""
        return self.broken is None and (self._of_all is not None or len(self._reasons) == self._count)

    @property
    def broken(self) -> str | None:
        """What it means that one of those which came did not end, or was given up by its provider; None: all ended."""
        if self._of_all is not None or not self._reasons:
            return _BROKEN_OFF.get(self._of_all)
        return next((_BROKEN_OFF[reason] for reason in self._reasons.values() if reason in _BROKEN_OFF), None)
