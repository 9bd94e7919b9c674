"""What is seen of a moving window."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A window when one more was asked for: `wait` is in how many seconds there is room, 0 where there was.

    `used` have been counted in it, and in `empties` seconds none of them is any more.
    """

    wait: int
    used: int
    empties: int


NOTHING_SEEN = Seen(0, 0, 0)
