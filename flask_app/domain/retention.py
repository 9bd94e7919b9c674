"""What a rule about how long things are kept would remove, counted before it holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doomed:
    """What is too old by it already: `people` have the `conversations`, `file_people` the `files`, `entries` are of the
    audit log, `requests` are programs'.
    """

    conversations: int = 0
    people: int = 0
    entries: int = 0
    files: int = 0
    file_people: int = 0
    requests: int = 0


def shortened(days: int | None, before: int | None) -> int | None:
    """So many days where they keep less than those before; None where nothing goes that would not go anyway."""
    return days if is_shorter(days, before) else None


def is_shorter(days: int | None, before: int | None) -> bool:
    """Do so many days keep less than those before? None is for good."""
    return days is not None and (before is None or days < before)
