"""Who may be asked, and who is next, after a pause or at once, when an attempt failed before anything was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_app.domain import cooldown
from flask_app.domain.serving import ServedModel
from flask_app.errors import AppError, Unavailable, UpstreamError
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import Candidate

NO_SUCH_PATH = (404, 405)


def candidates_for(model: ServedModel, offered: Sequence[Any] | None = None) -> list[Candidate]:
    """Who may be asked for an answer of `model`, at least one; raises Unavailable. Not for inside a transaction.

    `offered` is what `model_service.find_offered` has read.
    """
    if candidates := key_service.candidates(model, offered=offered):
        return candidates
    raise Unavailable("no_model")


def lacks_prefixes(failure: UpstreamError) -> bool:
    """Does the provider not know the address at which answers are gone on with? It can still be asked in words."""
    return failure.upstream_status in NO_SUCH_PATH


def without_frames(failure: UpstreamError) -> UpstreamError:
    """The same, to be kept while others are asked: the frames that it came through hold the request, with pictures."""
    failure.__cause__ = failure.__context__ = None
    return failure.with_traceback(None)


@dataclass(frozen=True, slots=True)
class Turn:
    """The first of `candidates` that may be asked now is, soon after `last`. `early`: a benched one before its time."""

    candidates: Sequence[Candidate]
    last: Candidate
    early: bool = True

    def pause(self, attempt: int) -> float:
        """Seconds to wait before it is the `attempt`-th: the same account is not pressed."""
        is_pressed = self.candidates[0].key.shares_account_with(self.last.key)
        return cooldown.pause_before(attempt, key_service.draw) if is_pressed else 0


class Others:
    """Who else may be asked, as one attempt after the other fails."""

    def __init__(self, candidates: Sequence[Candidate], first: Candidate) -> None:
        self._unasked = [candidate for candidate in candidates if candidate is not first]
        self._again: Candidate | None = None  # its provider was out of order for a moment
        self._passing: UpstreamError | None = None  # and said so
        self._failed_again = False  # it still is
        self._noted: UpstreamError | None = None
        self._returns: dict[str | None, int | None] = {}  # what was said last of when a key answers again, in seconds

    def after(self, failure: UpstreamError, last: Candidate, *, heard: bool) -> list[Turn]:
        """Whose turn it is after `last` failed, and whose where that finds nobody; none where no try helps.

        Where nobody else can answer the same key is asked once more, if its provider was out of order for a moment, did
        not say until when, and had not even begun (`heard`): what it had, it may bill.
        """
        if not failure.retryable:
            return []
        self._note(failure, last, heard=heard)
        again = [Turn([self._again], self._again)] if self._again and not self._failed_again else []
        if not self._unasked:
            return again
        rule = cooldown.RULES.get(failure.code)
        others = list(self._unasked)
        if rule and rule.blames_provider:
            others.sort(key=lambda other: other.model.provider_id == last.model.provider_id)
        return [Turn(others, last, early=not again), *again]

    def taken(self, candidate: Candidate) -> None:
        """It is being asked."""
        self._unasked = [other for other in self._unasked if other is not candidate]

    def told(self, failure: UpstreamError) -> UpstreamError:
        """What ends the answer: not that another key is no good, where the provider will answer again soon."""
        return self._passing if self._passing and failure.code in cooldown.FOR_THE_ADMINISTRATOR else failure

    def soonest(self, failure: AppError, last: Candidate) -> int | None:
        """When somebody may answer again, in seconds; None where one of them did not say when.

        A key that is no good, or has no money, does not answer before somebody has seen to it: what it said is nothing.
        """
        self._note_return(failure, last)
        said = list(self._returns.values()) or [failure.retry_after]
        known = [seconds for seconds in said if seconds is not None]
        return min(known) if len(known) == len(said) else None

    def _note_return(self, failure: AppError, last: Candidate) -> None:
        rule = cooldown.RULES.get(failure.code)
        if rule and rule.honours_retry_after:
            self._returns[last.key.id] = failure.retry_after

    def _note(self, failure: UpstreamError, last: Candidate, *, heard: bool) -> None:
        """Once for each failure, however often it is looked at."""
        if failure is self._noted:
            return
        self._noted = failure
        self._note_return(failure, last)
        rule = cooldown.RULES.get(failure.code)
        if rule and rule.may_pass and failure.retry_after is None and not heard:
            self._failed_again = self._again is last
            self._again, self._passing = last, failure
        elif self._again is last:
            self._again = self._passing = None
