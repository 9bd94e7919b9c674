"""The master oracle: what the provider saw, what people were told, and what the ledger says must be one story."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask_app.domain.events import estimate_tokens
from tests.faults.exchange import Exchange
from tests.faults.fault import FAULTS
from tests.faults.provider import wish_of
from tests.faults.site import Site
from tests.support.upstream_journal import Received

SETTLED_WITHIN = 60  # seconds after its reader has gone, whatever happened
UNREACHED = ("upstream_unreachable", "upstream_timeout")

Kind = Literal["ledger", "lost", "gap", "foreign", "cut"]

_RUN = "SELECT id, status, user_message_id, message_id FROM runs WHERE user_id = :user AND idempotency_key = :tag"
_MESSAGE = "SELECT text, status FROM messages WHERE id = :id"
_ATTEMPTS = (
    "SELECT a.id, a.state, a.error_code, a.status_code, a.prompt_estimate, a.max_tokens,"
    " t.id AS entry, t.source, t.outcome, t.prompt_tokens, t.cached_tokens, t.completion_tokens, t.reasoning_tokens"
    " FROM proxy_logs a LEFT JOIN token_usage t ON t.attempt_id = a.id"
    " WHERE a.run_id = :run ORDER BY a.created_at, a.id"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that must not be: a wrong ledger, a lost message, a gap or a repeat, a word of somebody else,
    an answer that was cut off without a reason."""

    kind: Kind
    exchange: Exchange | None
    words: str


class Oracle:
    """`examine` looks at the exchanges that are over, each once; one that is not settled yet is left for later."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._requests: defaultdict[str, list[Received]] = defaultdict(list)
        self._read = dict.fromkeys((site.calm, site.rough), 0)
        self._taken = 0
        self._waiting: list[Exchange] = []
        self._seen: dict[str, str] = {}  # every attempt, and where its count comes from

    @property
    def is_done(self) -> bool:
        return not self._waiting and self._taken == len(self._site.exchanges)

    def examine(self) -> list[Difference]:
        fresh = self._site.exchanges[self._taken :]
        self._waiting += fresh
        self._taken += len(fresh)
        over = [exchange for exchange in self._waiting if exchange.is_over]
        self._read_journals()  # now that they hold all of these
        verdicts = {exchange: self._examine(exchange) for exchange in over}
        self._waiting = [exchange for exchange in self._waiting if verdicts.get(exchange) is None]
        return [difference for found in verdicts.values() for difference in found or ()]

    @property
    def attempts(self) -> int:
        return len(self._seen)

    @property
    def estimates(self) -> int:
        return list(self._seen.values()).count("estimated")

    def requests(self) -> int:
        """How often the providers were asked for an answer."""
        return sum(len(upstream.journal.chats) for upstream in self._read)

    def _read_journals(self) -> None:
        for upstream, read in self._read.items():
            fresh = list(upstream.journal)[read:]
            self._read[upstream] = read + len(fresh)
            for request in fresh:
                if request.is_chat and (wish := wish_of(request)):
                    self._requests[wish.tag].append(request)

    def _examine(self, exchange: Exchange) -> list[Difference] | None:
        """None: it is not settled yet."""
        site, tag = self._site, exchange.wish.tag
        requests = self._requests[tag]
        runs = site.rows(_RUN, user=site.ids[exchange.user], tag=tag)
        attempts = [attempt for run in runs for attempt in site.rows(_ATTEMPTS, run=run.id)]
        is_live = any(attempt.state == "dispatched" for attempt in attempts) or any(
            run.status == "running" for run in runs
        )
        if is_live or any(request.outcome == "running" for request in requests):
            if time.monotonic() - exchange.ended_at < SETTLED_WITHIN:
                return None
            return [Difference("ledger", exchange, f"is not settled after {SETTLED_WITHIN} s")]
        self._seen |= {attempt.id: attempt.source for attempt in attempts}
        found = list(self._in_ledger(exchange, attempts, requests))
        found += self._in_estimate(exchange, runs, attempts)
        found += self._in_text(exchange, runs)
        return found

    def _in_ledger(self, exchange: Exchange, attempts: Sequence[Any], requests: list[Received]) -> Iterable[Difference]:
        asked = [attempt for attempt in attempts if not _was_never_sent(attempt, exchange)]
        surplus = len(attempts) - len(requests)
        if surplus > len(attempts) - len(asked) or surplus < 0:
            yield Difference("ledger", exchange, f"{len(attempts)} attempts for {len(requests)} requests")
            return
        if surplus == 0:
            asked = list(attempts)
        for attempt, request in zip(asked, requests, strict=False):
            if wrong := _wrong_in(attempt, request, exchange):
                yield Difference("ledger", exchange, wrong)

    def _in_estimate(self, exchange: Exchange, runs: Sequence[Any], attempts: Sequence[Any]) -> Iterable[Difference]:
        """An estimate is of no less than the words that are there to read."""
        estimated = [attempt for attempt in attempts if attempt.source == "estimated"]
        if (
            exchange.was_continued
            or len(runs) != 1
            or len(estimated) != 1
            or any(attempt.source == "reported" for attempt in attempts)
        ):
            return
        (booked,) = estimated
        stored = self._site.rows(_MESSAGE, id=runs[0].message_id)
        least = min(estimate_tokens(stored[0].text), booked.max_tokens) if stored else 0
        if booked.completion_tokens < least or booked.prompt_tokens <= 0:
            counts = (booked.prompt_tokens, booked.completion_tokens)
            yield Difference("ledger", exchange, f"an estimate of {counts} for words of {least} tokens")

    def _in_text(self, exchange: Exchange, runs: Sequence[Any]) -> Iterable[Difference]:
        if exchange.foreign_bytes:
            yield Difference("foreign", exchange, f"{exchange.foreign_bytes} bytes of somebody else's answer")
        if exchange.gaps or not exchange.wish.answer.startswith(exchange.text):
            yield Difference("gap", exchange, f"{exchange.gaps} gaps or repeats in {exchange.text[-80:]!r}")
        if not exchange.ids:
            return
        if exchange.ending is None:
            yield Difference("gap", exchange, "its stream never came to an end")
        elif _was_left_waiting(exchange):
            yield Difference("ledger", exchange, f"was ended more than {SETTLED_WITHIN} s after its worker")
        elif not exchange.wish.fault and exchange.status != "complete" and not _may_be_cut(exchange):
            yield Difference("cut", exchange, "was cut off")
        if wrong := self._lost_of(exchange, runs):
            yield Difference("lost", exchange, wrong)

    def _lost_of(self, exchange: Exchange, runs: Sequence[Any]) -> str | None:
        if [run.id for run in runs] != [exchange.ids["run_id"]]:
            return f"{len(runs)} runs"
        question = self._site.rows(_MESSAGE, id=exchange.ids["user_message_id"])
        stored = self._site.rows(_MESSAGE, id=exchange.ids["message_id"])
        if [row.text for row in question] != [exchange.wish.question] or len(stored) != 1:
            return "its messages are not there"
        return _wrong_text(exchange, stored[0])


def _was_never_sent(attempt: Any, exchange: Exchange) -> bool:
    """May the provider have heard nothing of it? It was not reached, or nobody lived to ask it."""
    if attempt.state == "released":
        return attempt.status_code is None
    nobody_asked = any(FAULTS[name].loses_commit for name in exchange.faults)
    return nobody_asked and (attempt.source, attempt.completion_tokens) == ("estimated", 0)


def _wrong_in(attempt: Any, request: Received, exchange: Exchange) -> str | None:
    if attempt.state == "released":
        is_free = attempt.entry is None and request.usage_sent is None and request.first_token_at is None
        return None if is_free else "a released attempt that the provider had answered, or that has an entry"
    if attempt.entry is None:
        return "a settled attempt without an entry"
    counts = (attempt.prompt_tokens, attempt.cached_tokens, attempt.completion_tokens, attempt.reasoning_tokens)
    told = request.usage_sent
    if attempt.source == "reported":
        same = told and counts == (told.prompt, told.cached, told.completion, told.reasoning)
        return None if same else f"booked {counts}, told {told}"
    if told and not _was_not_heard(attempt, exchange):
        return f"an estimate where the provider told {told}"
    most = estimate_tokens(request.text_sent)
    if attempt.prompt_tokens != attempt.prompt_estimate or attempt.completion_tokens > most:
        return f"an estimate out of bounds: {counts}, at most {most}"
    return None


def _was_not_heard(attempt: Any, exchange: Exchange) -> bool:
    """What the provider told went to a worker that was dead, or to nobody after a stop."""
    killed = any(FAULTS[name].kills for name in exchange.faults)
    return attempt.outcome == "stopped" or (killed and attempt.outcome == "interrupted")


def _may_be_cut(exchange: Exchange) -> bool:
    """Its reader stopped it, or its worker was killed, or another went on with it."""
    killed = exchange.was_continued or any(FAULTS[name].kills for name in exchange.faults)
    return exchange.status == ("stopped" if exchange.was_stopped else "interrupted" if killed else None)


def _was_left_waiting(exchange: Exchange) -> bool:
    """After a kill alone: where the database was away as well, whoever ends such answers waits for another lease."""
    killed = bool(exchange.faults) and all(FAULTS[name].kills for name in exchange.faults)
    return killed and exchange.status == "interrupted" and exchange.ended_at - exchange.last_heard > SETTLED_WITHIN


def _wrong_text(exchange: Exchange, stored: Any) -> str | None:
    """What was told as saved must be there; of an answer that its worker did not live to save, the kept part."""
    seen, answer = exchange.text, exchange.wish.answer
    if not answer.startswith(stored.text):
        return f"stored {stored.text[-80:]!r}"
    if exchange.status == "complete":
        return None if stored.status == "complete" and stored.text == seen == answer else "not the whole answer"
    if exchange.status == "interrupted":
        return None if seen.startswith(stored.text) or stored.text.startswith(seen) else "another text"
    if exchange.ending and stored.status in {"complete", "running"}:
        return f"told {exchange.status}, stored as {stored.status}"
    if exchange.ending and stored.text != seen:
        return f"told {len(seen)} characters, stored {len(stored.text)}"
    return None
