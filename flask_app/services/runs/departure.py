"""When the reader of an answer has left, and whether the answer ends for it: the group's policy.

A worker asks at each of its looks, once a second; nothing is done for a token.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from flask_app.domain.events import estimate_tokens
from flask_app.services.completion.attempts import Outcome
from flask_app.services.runs.run_service import LiveRun

GRACE_SECONDS = 20  # a page that lost its line tries again five times within it
CONTINUE = "continue"
UNSURE_SECONDS = 5  # after so long without a look nobody knows who has been there meanwhile


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person's group says: "continue", "limit" or "stop"."""

    on_disconnect: str
    tokens: int | None


class _Attendance:
    """Who follows a run, from one look to the next."""

    def __init__(self) -> None:
        self._looked_at = self._seen_at = time.monotonic()
        self._followed_at: datetime | None = None
        # How far the answer had come when somebody was last seen, and what came since in rounds that are over.
        self._round: Outcome | None = None
        self._places, self._tokens = (0, 0, 0), 0

    def look(self, unread_since: float | None, followed_at: datetime | None, outcome: Outcome) -> float:
        """For how many seconds nobody has followed the run, here or elsewhere."""
        self._turn(outcome)
        now = time.monotonic()
        unsure = now - self._looked_at > UNSURE_SECONDS
        # Clocks of other machines are not trusted: it is the change that says that somebody is there.
        seen = unread_since is None or followed_at != self._followed_at or unsure
        seen_at = now if unread_since is None or seen else unread_since
        if seen_at > self._seen_at:
            self._seen_at = seen_at
            text, thoughts, calls = map(len, _parts(outcome))
            self._places, self._tokens = (text, thoughts, calls), 0
        self._looked_at, self._followed_at = now, followed_at
        return now - self._seen_at

    def tokens_since(self, outcome: Outcome) -> int:
        """About how many tokens have come since anybody was last seen."""
        new = (parts[place:] for parts, place in zip(_parts(outcome), self._places, strict=True))
        return self._tokens + sum(estimate_tokens("".join(part)) for part in new)

    def _turn(self, outcome: Outcome) -> None:
        """Each round of an answer that calls tools has words of its own."""
        if outcome is not self._round:
            if self._round is not None:
                self._tokens = self.tokens_since(self._round)
            self._round, self._places = outcome, (0, 0, 0)


def _parts(outcome: Outcome) -> tuple[list[str], list[str], list[str]]:
    return outcome.text_parts, outcome.reasoning_parts, outcome.call_parts


_attendances: WeakKeyDictionary[LiveRun, _Attendance] = WeakKeyDictionary()


def is_final(live: LiveRun) -> bool:
    """Has its reader left an answer that nobody can come back to, since it is kept nowhere?"""
    return live.begun.conversation_id is None and live.answer.unread_since is not None


def ends(live: LiveRun, followed_at: datetime | None, policy: Policy) -> bool:
    """Has the reader been away for so long that the answer ends? `followed_at` is what readers elsewhere say.

    One that is kept nowhere ends then whatever the group says.
    """
    attendance = _attendances.setdefault(live, _Attendance())
    outcome = live.completion.outcome
    absent = attendance.look(live.answer.unread_since, followed_at, outcome)
    goes_on = policy.on_disconnect == CONTINUE and not is_final(live)
    if absent < GRACE_SECONDS or goes_on or outcome.finish_reason is not None:
        return False
    return is_final(live) or policy.tokens is None or attendance.tokens_since(outcome) >= policy.tokens
