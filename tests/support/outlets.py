"""Where a reader's events leave a log, in tests of logs."""


class FickleOutlet:
    """Takes what it likes, and is sometimes clogged by it; keeps what it took."""

    def __init__(self, moods: list[int]) -> None:
        self.taken: list[bytes] = []
        self.is_clogged = False
        self._moods = iter(moods)

    def offer(self, frame: bytes) -> bool:
        mood = next(self._moods, 1)
        if mood == 0 or self.is_clogged:
            return False
        self.is_clogged = mood == 2
        self.taken.append(frame)
        return True
