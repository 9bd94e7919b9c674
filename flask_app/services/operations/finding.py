"""What `flask doctor` says of one thing that it has looked at."""

from dataclasses import dataclass

GOOD, WARNING, BAD = "ok", "warning", "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of GOOD, WARNING and BAD; `what` says what was looked at and how it is, `advice` what to do about it."""

    level: str
    what: str
    advice: str = ""
