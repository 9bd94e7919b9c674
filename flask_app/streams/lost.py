"""When a log that another process writes cannot be followed any further."""


class LogLost(Exception):
    """`last` is the number of the last event that was had."""

    def __init__(self, last: int) -> None:
        super().__init__(last)
        self.last = last
