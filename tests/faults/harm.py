"""What was done to workers, and whose answers may suffer from it: those that they were making just then."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["killed", "halted", "isolated", "ended"]
Kinds = frozenset[Kind]

# The worker does not hear what a provider tells, or cannot book it, so that another ends its answers.
LOST: Kinds = frozenset({"killed", "halted", "isolated"})
ENDED_ELSEWHERE: Kinds = frozenset({"halted", "isolated"})  # and it comes back to that


@dataclass(frozen=True, slots=True)
class Harm:
    """`workers` are named as in `runs.worker`. `at`, in monotonic seconds, their answers began to suffer from it.

    killed, halted; isolated: cut off from the database for longer than a lease; ended: told to end, and the time that
    its answers have to finish is over.
    """

    kind: Kind
    workers: frozenset[str]
    at: float


def befell(harms: Iterable[Harm], worker: str | None, began: float, ended: float) -> Kinds:
    """What was done to the worker between the two moments."""
    return frozenset(harm.kind for harm in harms if worker in harm.workers and began <= harm.at <= ended)
