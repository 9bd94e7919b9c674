"""What a provider's failure means for the key that met it: how long it is benched, and who with it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

MAX_RETRY_AFTER = 3600  # seconds: however long a provider says, nobody waits longer without asking again
JITTER = 0.25
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 1.0
MAX_WEIGHT = 1000

Draw = Callable[[], float]
"""Gives a random number from 0 up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`first` and `longest` are the seconds of a bench: each failure in a row doubles the last one's.

    `pause`: where no other key can answer, a benched one is probed this often (seconds); None is never.
    """

    first: float
    longest: float
    pause: float | None
    whole_account: bool = False
    honours_retry_after: bool = True
    blames_provider: bool = False  # its other keys would likely meet the same
    may_pass: bool = False  # within a second or so: the same key is worth another try


_FAULT = Rule(first=2, longest=60, pause=2, blames_provider=True)
_HICCUP = replace(_FAULT, may_pass=True)

# By the error's code. What is not here (400, 422) is told to the person: no bench, no other try.
RULES = {
    "upstream_key_refused": Rule(first=300, longest=3600, pause=10, honours_retry_after=False),
    "upstream_no_balance": Rule(first=300, longest=3600, pause=10, whole_account=True, honours_retry_after=False),
    "upstream_busy": Rule(first=5, longest=300, pause=None, whole_account=True),
    "upstream_overloaded": _HICCUP,
    "upstream_failed": _HICCUP,
    "upstream_timeout": _FAULT,
    "upstream_unreachable": _FAULT,
    "upstream_cut": _HICCUP,
    "upstream_garbage": _FAULT,
    "upstream_address_private": _FAULT,
}
ACCOUNT_CODES = tuple(code for code, rule in RULES.items() if rule.whole_account)
FOR_THE_ADMINISTRATOR = ("upstream_key_refused", "upstream_no_balance")


def rule_of(code: str | None) -> Rule:
    """The rule of a bench that is noted already, perhaps by another version."""
    return RULES.get(code or "", _FAULT)


@dataclass(frozen=True, slots=True)
class Bench:
    """For how many seconds a key is benched; `firm`: it is not even probed before."""

    seconds: float
    firm: bool


def bench(rule: Rule, *, strikes: int, retry_after: int | None, draw: Draw) -> Bench:
    """The bench after the `strikes`-th failure in a row; `retry_after` is what the provider said, in seconds."""
    if rule.honours_retry_after and retry_after:
        return Bench(min(retry_after, MAX_RETRY_AFTER), firm=True)
    doubled = rule.first * 2.0 ** min(strikes - 1, 30)
    return Bench(min(doubled * (1 + JITTER * draw()), rule.longest), firm=rule.pause is None)


def pause_before(attempt: int, draw: Draw) -> float:
    """Seconds to wait before asking the same account again, as the `attempt`-th of an answer (from 2)."""
    return min(FIRST_PAUSE * 2.0 ** (attempt - 2) * (1 + draw()), LONGEST_PAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """A key's place among others: by its provider's priority, the chosen provider first, then by its own priority.

    Lower comes first; among equals chance decides by weight.
    """

    provider_priority: int
    chosen: bool
    priority: int
    weight: int

    def drawn(self, draw: Draw) -> tuple[int, bool, int, float]:
        """What to sort by. Each draw is a race of exponential clocks: a key of weight 3 wins three times of four."""
        return self.provider_priority, not self.chosen, self.priority, -math.log(1 - draw()) / max(self.weight, 1)
