"""What `flask doctor` says of one thing that it has looked at."""

from dataclasses import dataclass

GOOD, WARNING, BAD = "ok", "warning", "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of GOOD, WARNING and BAD; `what` says what was looked at and how it is, `advice` what to do about it."""

    level: str
    what: str
    advice: str = ""


def counted(number: int, thing: str, things: str = "") -> str:
    """As English has it: 1 model, 2 models. No verb goes with it, which would have to agree."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"
