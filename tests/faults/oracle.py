"""The master oracle: what the provider saw, what people were told, and what the ledger says must be one story."""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tests.faults import entries
from tests.faults.exchange import Exchange
from tests.faults.fault import FAULTS
from tests.faults.harm import LOST, Kinds
from tests.faults.provider import wish_of
from tests.faults.site import Site
from tests.support.upstream_journal import Received

SETTLED_WITHIN = 60  # seconds after its reader has gone, whatever happened

Kind = Literal["ledger", "lost", "gap", "foreign", "cut"]

_RUNS = (
    "SELECT id, status, worker, user_message_id, message_id, idempotency_key, text_before FROM runs"
    " WHERE user_id = :user AND idempotency_key IN (:tag, :rest) ORDER BY created_at, id"
)
_MESSAGE = "SELECT text, status FROM messages WHERE id = :id"
_ATTEMPTS = f"SELECT {entries.ATTEMPT} FROM {entries.ENTRIES} WHERE a.run_id = :run ORDER BY a.created_at, a.id"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that must not be: a wrong ledger, a lost message, a gap or a repeat, a word of somebody else,
    an answer that was cut off without a reason."""

    kind: Kind
    exchange: Exchange | None
    words: str


@dataclass(frozen=True, slots=True)
class Making:
    """A run of an answer, its attempts, and what befell its worker meanwhile."""

    run: Any
    attempts: Sequence[Any]
    harms: Kinds

    @property
    def is_live(self) -> bool:
        return self.run.status == "running" or any(attempt.state == "dispatched" for attempt in self.attempts)


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

    def prefixes(self) -> int:
        """How many of them brought along the beginning of the answer."""
        return sum(request.prefix is not None for upstream in self._read for request in upstream.journal.chats)

    def strangers(self) -> int:
        """How many nobody is known to have asked for."""
        self._read_journals()
        asked = {exchange.wish.tag for exchange in self._site.exchanges} | {call.wish.tag for call in self._site.calls}
        return sum(len(found) for tag, found in self._requests.items() if tag not in asked)

    def _read_journals(self) -> None:
        for upstream, read in self._read.items():
            fresh = list(upstream.journal)[read:]
            self._read[upstream] = read + len(fresh)
            for request in fresh:
                if request.is_chat:
                    wish = wish_of(request)
                    self._requests[wish.tag if wish else ""].append(request)

    def _examine(self, exchange: Exchange) -> list[Difference] | None:
        """None: it is not settled yet."""
        makings, requests = self._makings(exchange), self._requests[exchange.wish.tag]
        is_live = any(making.is_live for making in makings) or any(each.outcome == "running" for each in requests)
        if is_live or self._waits_for_words(exchange, makings):
            if time.monotonic() - exchange.ended_at < SETTLED_WITHIN:
                return None
            return [Difference("ledger", exchange, f"is not settled after {SETTLED_WITHIN} s")]
        self._seen |= {attempt.id: attempt.source for making in makings for attempt in making.attempts}
        found = [Difference("ledger", exchange, wrong) for wrong in self._in_ledger(makings, requests)]
        found += self._in_text(exchange, makings)
        return found

    def _makings(self, exchange: Exchange) -> list[Making]:
        """The run that it began, and the one that went on with it."""
        keys = {"tag": exchange.wish.tag, "rest": exchange.rest_key}
        runs = self._site.rows(_RUNS, user=self._site.ids[exchange.user], **keys)
        return [
            Making(run, self._site.rows(_ATTEMPTS, run=run.id), self._site.befell(run.worker, *_times(exchange, run)))
            for run in runs
        ]

    def _waits_for_words(self, exchange: Exchange, makings: Sequence[Making]) -> bool:
        """What its reader saw comes back with the instance that was cut off."""
        if not exchange.ids or "isolated" not in _first(makings) or exchange.status != "interrupted":
            return False
        stored = self._site.rows(_MESSAGE, id=exchange.ids["message_id"])
        return not any(row.text.startswith(exchange.text) for row in stored)

    def _in_ledger(self, makings: Sequence[Making], requests: list[Received]) -> Iterable[str]:
        asked = {entries.id_of(request): request for request in requests}
        attempts = {attempt.id for making in makings for attempt in making.attempts}
        if len(asked) < len(requests) or not asked.keys() <= attempts:
            yield f"{len(attempts)} attempts for {len(requests)} requests, some of which are none of them"
        for making in makings:
            for attempt in making.attempts:
                if wrong := entries.wrong_in(attempt, asked.get(attempt.id), making.harms):
                    yield wrong
        for making, words in zip(makings, self._words(makings), strict=True):
            if wrong := _lean(making, words):
                yield wrong

    def _words(self, makings: Sequence[Making]) -> list[str]:
        """Those of the stored text that each run wrote: its own begin where the next one found the text to end."""
        if not makings:
            return []
        stored = self._site.rows(_MESSAGE, id=makings[-1].run.message_id)
        text = stored[0].text if stored else ""
        begins = [making.run.text_before or 0 for making in makings]
        return [text[begin:end] for begin, end in zip(begins, [*begins[1:], len(text)], strict=True)]

    def _in_text(self, exchange: Exchange, makings: Sequence[Making]) -> Iterable[Difference]:
        if exchange.foreign_bytes:
            yield Difference("foreign", exchange, f"{exchange.foreign_bytes} bytes of somebody else's answer")
        if exchange.gaps or not exchange.wish.answer.startswith(exchange.text):
            yield Difference("gap", exchange, f"{exchange.gaps} gaps or repeats in {exchange.text[-80:]!r}")
        if not exchange.ids:
            return
        if exchange.ending is None:
            yield Difference("gap", exchange, "its stream never came to an end")
        elif _was_left_waiting(exchange, _first(makings)):
            yield Difference("ledger", exchange, f"was ended more than {SETTLED_WITHIN} s after its worker")
        elif not exchange.wish.fault and exchange.status != "complete" and not _may_be_cut(exchange, _first(makings)):
            yield Difference("cut", exchange, "was cut off")
        if wrong := self._lost_of(exchange, makings):
            yield Difference("lost", exchange, wrong)

    def _lost_of(self, exchange: Exchange, makings: Sequence[Making]) -> str | None:
        runs = [exchange.ids["run_id"], *([exchange.rest.run_id] if exchange.rest else [])]
        if [making.run.id for making in makings] != runs:
            return f"{len(makings)} runs"
        question = self._site.rows(_MESSAGE, id=exchange.ids["user_message_id"])
        stored = self._site.rows(_MESSAGE, id=exchange.ids["message_id"])
        if [row.text for row in question] != [exchange.wish.question] or len(stored) != 1:
            return "its messages are not there"
        return _wrong_whole(exchange, stored[0]) if exchange.rest else _wrong_text(exchange, stored[0])


def _times(exchange: Exchange, run: Any) -> tuple[float, float]:
    """When the run was asked for, and when its reader was told of its end."""
    rest = exchange.rest
    if rest and run.idempotency_key == rest.key:
        return rest.began_at, rest.ended_at
    return exchange.began_at, exchange.ended_at


def _first(makings: Sequence[Making]) -> Kinds:
    """What befell the worker of the run that the exchange began."""
    return makings[0].harms if makings else frozenset()


def _lean(making: Making, words: str) -> str | None:
    """An estimate is of no less than the words that are there to read."""
    estimated = [attempt for attempt in making.attempts if attempt.source == "estimated"]
    if len(estimated) != 1 or any(attempt.source == "reported" for attempt in making.attempts):
        return None
    (booked,) = estimated
    was_of_less = booked.outcome == "interrupted" and "isolated" in making.harms  # the other words came back later
    return entries.lacks(booked, "" if was_of_less else words)


def _may_be_cut(exchange: Exchange, harms: Kinds) -> bool:
    """Its reader stopped it, or its own worker was lost, or told to end for longer than its answers may take then."""
    return exchange.status == ("stopped" if exchange.was_stopped else "interrupted" if harms else None)


def _was_left_waiting(exchange: Exchange, harms: Kinds) -> bool:
    """After a kill alone: where the database was away as well, whoever ends such answers waits for another lease."""
    killed = bool(harms & LOST) and all(FAULTS[name].kills for name in exchange.faults)
    return killed and exchange.status == "interrupted" and exchange.ended_at - exchange.last_heard > SETTLED_WITHIN


def _wrong_whole(exchange: Exchange, stored: Any) -> str | None:
    """What was gone on with is there as it was told, and whole."""
    rest = exchange.rest
    is_whole = rest and (rest.status, rest.text) == (stored.status, stored.text) == ("complete", exchange.wish.answer)
    return None if is_whole else "what was gone on with is not the whole answer"


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
