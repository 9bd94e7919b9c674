"""Programs that ask at the gateway while faults happen: whatever breaks, each is billed what it was told, once."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import urllib3

from tests.faults import entries
from tests.faults.call import Call
from tests.faults.harm import ENDED_ELSEWHERE, LOST, Kinds
from tests.faults.oracle import Difference, Kind
from tests.faults.provider import wish_of
from tests.faults.site import CALM, Site
from tests.faults.words import Wish, foreign_bytes
from tests.support.served import Visitor
from tests.support.upstream_journal import Received

PAUSE_SECONDS = 0.5
LEAST_TOLD = 0.5  # of all answers: most faults leave some instance to answer
RESTARTING = "restarting"

_ATTEMPTS = (
    f"SELECT {entries.ATTEMPT}, w.worker FROM {entries.ENTRIES} LEFT JOIN run_workers w ON w.run_id = a.run_id"
    " WHERE a.channel = 'api'"
)
_UNDER_WAY = "SELECT count(*) AS number FROM proxy_logs WHERE channel = 'api' AND state = 'dispatched'"


@dataclass
class Program:
    """Asks in a person's name."""

    site: Site
    user: int
    visitor: Visitor

    @classmethod
    def of(cls, site: Site, user: int, address: str = "") -> "Program":
        """It asks at `address`; through nginx where there is none."""
        made = site.people[user].post("/api/tokens", {"name": "faults"})
        assert made.status == 201, made.data
        bearer = {"Authorization": f"Bearer {made.json()['secret']}"}
        return cls(site, user, Visitor(address or site.nginx.base_url, bearer))

    def keep_asking(self, random: Random, ended: threading.Event) -> None:
        """One thing after the other."""
        while not ended.wait(random.uniform(0, PAUSE_SECONDS)):
            words, rate = random.randint(1, 30), random.randint(30, 120)
            call = self.begin(words=words, rate=rate, is_stream=random.random() < 0.5)
            self.ask(call)
            if call.told is None:
                ended.wait(PAUSE_SECONDS)

    def begin(self, *, words: int, rate: int, is_stream: bool) -> Call:
        """What it is going to ask."""
        wish = Wish(f"u{self.user}q{next(self.site.numbers)}", words, rate)
        call = Call(self.user, wish, is_stream, set(self.site.faults))
        self.site.calls.append(call)
        return call

    def ask(self, call: Call) -> None:
        """Ask it, and hear the answer."""
        before = len(self.site.happened)
        try:
            call.hear(self.visitor.post("/v1/chat/completions", {"model": CALM} | call.body))
        except (urllib3.exceptions.HTTPError, ValueError) as error:  # the line broke: it was told of no end
            call.failure = call.failure or type(error).__name__
        call.ended_at = time.monotonic()
        call.faults |= set(self.site.happened[before:])


@dataclass(frozen=True, slots=True)
class Answered:
    """A call with what was asked of the provider for it, the attempts that this was, and what befell their workers."""

    call: Call
    requests: Sequence[Received]
    attempts: Sequence[Any]
    harms: Kinds

    @property
    def was_broken_off(self) -> bool:
        return bool(self.requests) and self.call.told is None

    @property
    def booked(self) -> list[Any]:
        """Those of the attempts that have an entry."""
        return [each for each in self.attempts if each.source]


def wait_until_settled(site: Site, deadline: float) -> None:
    """Or until `deadline` on the monotonic clock: what is under way then is found to be."""
    while site.rows(_UNDER_WAY)[0].number and time.monotonic() < deadline:
        time.sleep(0.2)


def count(site: Site) -> int:
    """How many requests to providers were made for programs."""
    return len(site.rows(_ATTEMPTS))


def broken_off(site: Site) -> list[Call]:
    """Those that were told of no end though the provider had been asked."""
    return [each.call for each in answered(site) if each.was_broken_off]


def differences(site: Site) -> Iterator[Difference]:
    """Compare what programs were told, what the provider was asked, and the ledger, once nothing is under way."""
    attempts = {attempt.id: attempt for attempt in site.rows(_ATTEMPTS)}
    calls = answered(site)
    requests = {entries.id_of(request): request for each in calls for request in each.requests}
    harms = {attempt.id: each.harms for each in calls for attempt in each.attempts}
    for words in _wrong_in_all(calls, requests, attempts):
        yield Difference("ledger", None, f"of programs: {words}")
    for each, attempt in attempts.items():
        # Of one that the provider never saw nobody says whose call it was, and when.
        befell = harms[each] if each in harms else site.befell(attempt.worker, 0, math.inf)
        if wrong := entries.wrong_in(attempt, requests.get(each), befell):
            yield Difference("ledger", None, f"of programs: attempt {each}: {wrong}")
    for answer in calls:
        if found := _wrong_for(answer):
            kind, wrong = found
            during = ", ".join(sorted(answer.call.faults))
            yield Difference(kind, None, f"of programs: {answer.call.wish.tag}: {wrong}, during: {during}")


def answered(site: Site) -> list[Answered]:
    """Each call with what became of it."""
    attempts = {attempt.id: attempt for attempt in site.rows(_ATTEMPTS)}
    requests: defaultdict[str, list[Received]] = defaultdict(list)
    for request in site.calm.journal:
        if request.is_chat and (wish := wish_of(request)):
            requests[wish.tag].append(request)
    found = []
    for call in list(site.calls):
        asked = requests[call.wish.tag]
        own = [attempts[each] for each in map(entries.id_of, asked) if each in attempts]
        befell = [site.befell(attempt.worker, call.began_at, call.ended_at) for attempt in own]
        found.append(Answered(call, asked, own, frozenset[Any]().union(*befell)))
    return found


def _wrong_in_all(
    answered: Sequence[Answered], requests: dict[str, Received], attempts: dict[str, Any]
) -> Iterator[str]:
    if sum(len(each.requests) for each in answered) != len(requests) or not requests.keys() <= attempts.keys():
        yield "a request to the provider that is no attempt"
    told = sum(each.call.told is not None for each in answered)
    if told < LEAST_TOLD * len(answered):
        yield f"{told} of {len(answered)} answers came to their end"


def _wrong_for(answer: Answered) -> tuple[Kind, str] | None:
    call = answer.call
    if foreign_bytes(call.text, call.user):
        return "foreign", "words of somebody else's answer"
    if not call.wish.answer.startswith(call.text):
        return "gap", f"a gap or a repeat in {call.text[-80:]!r}"
    if call.told is None:
        return _wrong_end(answer)
    if call.text != call.wish.answer:
        return "gap", "told that it is whole, which it is not"
    return _wrong_count(answer)


def _wrong_count(answer: Answered) -> tuple[Kind, str] | None:
    """Of what the program was told; where another instance ended it meanwhile, the ledger has an estimate."""
    counts = [("reported", *answer.call.told)] if answer.call.told else []
    booked = [(each.source, each.prompt_tokens, each.completion_tokens) for each in answer.booked]
    outcomes = [(each.source, each.outcome) for each in answer.booked]
    if booked == counts or (answer.harms & ENDED_ELSEWHERE and outcomes == [("estimated", "interrupted")]):
        return None
    return "ledger", f"told {answer.call.told}, booked {booked}"


def _wrong_end(answer: Answered) -> tuple[Kind, str] | None:
    """Only an answer whose own worker was lost, or over time in a restart, may be broken off; what came is billed."""
    call = answer.call
    if not answer.was_broken_off:
        return None if call.faults else ("cut", f"was refused ({call.failure}), and nothing had happened")
    if not answer.harms:
        return "cut", f"was broken off ({call.failure})"
    if answer.harms & LOST:
        return None
    if call.failure != RESTARTING:
        return "cut", f"was told of a restart as {call.failure}"
    if len(answer.booked) != 1:
        return "ledger", f"was broken off, and has {len(answer.booked)} entries"
    (booked,) = answer.booked
    wrong = entries.lacks(booked, call.text) if booked.source == "estimated" else None
    return ("ledger", wrong) if wrong else None
