"""Events as the bytes that readers get, packed end to end."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable

MOST_IN_A_PIECE = 64 * 1024  # bytes that wait at once for one reader, however far behind it is


class Frames:
    """A list of byte strings that only grows. A busy server keeps 200,000: as objects they would take twice as much.

    One thread adds; others may read meanwhile, for a frame is counted only when it is there.
    """

    __slots__ = ("_bounds", "_bytes")

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._bounds = array("Q", [0])  # where frame n begins, and at the end where the next one will

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def append(self, frame: bytes) -> int:
        """Gives how many there are now."""
        self._bytes += frame
        self._bounds.append(len(self._bytes))
        return len(self._bounds) - 1

    def extend(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            self.append(frame)

    def joined(self, start: int, end: int) -> bytes:
        """Frames `start` to `end`, the last not included, in one piece."""
        return bytes(self._bytes[self._bounds[start] : self._bounds[end]])

    def piece(self, start: int) -> tuple[bytes, int]:
        """Frames from `start` on in one piece, as many as fit and one at least; and where the next piece starts."""
        bounds = self._bounds
        fitting = bisect_right(bounds, bounds[start] + MOST_IN_A_PIECE, start) - 1
        end = max(fitting, start + 1)
        return self.joined(start, end), end

    def since(self, start: int) -> list[bytes]:
        """The frames from `start` on, each by itself."""
        return [self.joined(number, number + 1) for number in range(start, len(self))]
