"""When a person is warned: of a budget by the share of it that is used, of an account by what is left on it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask_app.domain.budget import LOW_PART

ALMOST, ALL = 80, 100  # percent used
FIRST_PAUSE, LONGEST_PAUSE = 60, 3600  # seconds between two tries
JITTER = 0.25

Draw = Callable[[], float]
"""Gives a random number from 0 up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What somebody is to be told now, whether they have been or not; see `models.Notice` for the names.

    `owner_id` is the person whose budget it is, who is told; the administrators are where it is None.
    """

    kind: str
    subject_id: str
    armed: str
    share: int
    facts: dict[str, Any]
    owner_id: str | None = None
    person_id: str = ""


def share_used(*, limit: int, full: int, used: int, least: int) -> int | None:
    """ALMOST or ALL of a budget; None while there is no need to warn.

    `full` is the limit, or what the last top-up made of a balance. One that never had a top-up is nothing to warn of.
    `least` is `budget.least_left`.
    The same marks as in `budget_service.Standing.state`, without what is reserved: that may come back.
    """
    left = limit - used
    if full <= 0:
        return None
    if left < least:
        return ALL
    return ALMOST if left * LOW_PART <= full else None


def share_gone(sums: Iterable[int], *, available: bool, threshold: int) -> int | None:
    """ALL of what was on an account that cannot pay, ALMOST where no sum of it reaches the threshold.

    Without any sum nothing is known: it is not low.
    """
    if not available:
        return ALL
    return ALMOST if max(sums, default=threshold) < threshold else None


def pause_after(tries: int, draw: Draw) -> int:
    """Seconds to wait after the `tries`-th try in vain."""
    return int(min(FIRST_PAUSE * 2.0 ** min(tries - 1, 30), LONGEST_PAUSE) * (1 + JITTER * draw()))
