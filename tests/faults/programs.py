"""Programs that ask at the gateway while faults happen: whatever breaks, each is billed what it was told, once."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from random import Random
from typing import Any

import urllib3

from flask_app.domain.events import estimate_tokens
from tests.faults.fault import FAULTS
from tests.faults.oracle import Difference
from tests.faults.provider import wish_of
from tests.faults.site import CALM, Site
from tests.faults.words import Wish, foreign_bytes
from tests.support.served import Visitor
from tests.support.upstream_journal import Received

PAUSE_SECONDS = 0.5
BROKEN_OFF = ("stopped", "left", "interrupted")
LEAST_TOLD = 0.5  # of all answers: most faults leave some instance to answer

_ATTEMPTS = (
    "SELECT a.id, a.state, a.status_code, t.source, t.outcome, t.prompt_tokens, t.cached_tokens, t.completion_tokens,"
    " t.reasoning_tokens FROM proxy_logs a LEFT JOIN token_usage t ON t.attempt_id = a.id WHERE a.channel = 'api'"
)
_UNDER_WAY = "SELECT count(*) AS number FROM proxy_logs WHERE channel = 'api' AND state = 'dispatched'"


@dataclass(slots=True)
class Call:
    """What a program asked, and what it heard; `told` is the usage of an answer that it was told is whole.

    `faults` happened meanwhile.
    """

    wish: Wish
    text: str = ""
    told: tuple[int, int] | None = None
    faults: set[str] = field(default_factory=set)


@dataclass
class Program:
    """Asks in a person's name, one thing after the other."""

    site: Site
    user: int
    visitor: Visitor
    calls: list[Call] = field(default_factory=list)

    @classmethod
    def of(cls, site: Site, user: int) -> "Program":
        made = site.people[user].post("/api/tokens", {"name": "faults"})
        assert made.status == 201, made.data
        return cls(site, user, Visitor(site.nginx.base_url, {"Authorization": f"Bearer {made.json()['secret']}"}))

    def keep_asking(self, random: Random, ended: threading.Event) -> None:
        while not ended.wait(random.uniform(0, PAUSE_SECONDS)):
            tag = f"u{self.user}q{next(self.site.numbers)}"
            call = Call(Wish(tag, random.randint(1, 30), random.randint(30, 120)))
            self.calls.append(call)
            call.faults |= self.site.faults
            before = len(self.site.happened)
            try:
                self._ask(call, stream=random.random() < 0.5)
            except (urllib3.exceptions.HTTPError, ValueError):  # the line broke: it was told of no end
                ended.wait(PAUSE_SECONDS)
            call.faults |= set(self.site.happened[before:])

    def _ask(self, call: Call, *, stream: bool) -> None:
        asked: dict[str, Any] = {"model": CALM, "messages": [{"role": "user", "content": call.wish.question}]}
        if stream:
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
        reply = self.visitor.post("/v1/chat/completions", asked)
        if reply.status == 200:
            (_hear_stream if stream else _hear_whole)(call, reply.data)


def _hear_whole(call: Call, body: bytes) -> None:
    said = json.loads(body)
    call.text, call.told = said["choices"][0]["message"]["content"], _usage(said)


def _hear_stream(call: Call, body: bytes) -> None:
    chunks = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    said = [json.loads(chunk) for chunk in chunks if chunk != b"[DONE]"]
    call.text = "".join(choice["delta"].get("content") or "" for each in said for choice in each.get("choices", ()))
    if chunks and chunks[-1] == b"[DONE]":
        call.told = _usage(said[-1])


def _usage(said: dict[str, Any]) -> tuple[int, int]:
    return said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"]


def wait_until_settled(site: Site, deadline: float) -> None:
    """Or until `deadline` on the monotonic clock: what is under way then is found to be."""
    while site.rows(_UNDER_WAY)[0].number and time.monotonic() < deadline:
        time.sleep(0.2)


def count(site: Site) -> int:
    """How many requests to providers were made for programs."""
    return len(site.rows(_ATTEMPTS))


def differences(site: Site, programs: Sequence[Program]) -> Iterator[Difference]:
    """Compare what programs were told, what the provider was asked, and the ledger, once nothing is under way."""
    attempts = {attempt.id: attempt for attempt in site.rows(_ATTEMPTS)}
    calls = {call.wish.tag: (program, call) for program in programs for call in program.calls}
    requests: defaultdict[str, list[Received]] = defaultdict(list)
    for request in site.calm.journal:
        if request.is_chat and (wish := wish_of(request)) and wish.tag in calls:
            requests[wish.tag].append(request)
    asked = {_id(request): (request, calls[tag][1].faults) for tag, found in requests.items() for request in found}
    wrong = [
        *_in_all(list(calls.values()), sum(map(len, requests.values())), asked.keys(), attempts.keys()),
        *(
            f"attempt {each}: {words}"
            for each, row in attempts.items()
            if (words := _wrong_in(row, *asked.get(each, ())))
        ),
        *(
            f"{tag}: {words}"
            for tag, (program, call) in calls.items()
            if (words := _wrong_for(program, call, [attempts.get(_id(request)) for request in requests[tag]]))
        ),
    ]
    for words in wrong:
        yield Difference("ledger", None, f"of programs: {words}")


def _id(request: Received) -> str:
    """The attempt's, which the provider is told."""
    return request.headers["x-request-id"]


def _in_all(calls: Sequence[tuple[Program, Call]], requests: int, asked: Set[str], attempts: Set[str]) -> Iterator[str]:
    if requests != len(asked) or not asked <= attempts:
        yield "a request to the provider that is no attempt"
    told = sum(call.told is not None for _, call in calls)
    if told < LEAST_TOLD * len(calls):
        yield f"{told} of {len(calls)} answers came to their end"


def _wrong_in(attempt: Any, request: Received | None = None, faults: Iterable[str] = ()) -> str | None:
    if attempt.state == "dispatched":
        return "is not settled"
    if request is None:
        never_sent = attempt.state == "released" or (attempt.source, attempt.completion_tokens) == ("estimated", 0)
        return None if never_sent else "the provider never saw it"
    if attempt.state == "released":
        return None if request.first_token_at is None else "released, and the provider had answered"
    told = request.usage_sent
    counts = (attempt.prompt_tokens, attempt.cached_tokens, attempt.completion_tokens, attempt.reasoning_tokens)
    if attempt.source == "reported":
        same = told and counts == (told.prompt, told.cached, told.completion, told.reasoning)
        return None if same else f"booked {counts}, told {told}"
    if told and (attempt.outcome not in BROKEN_OFF or not any(FAULTS[name].kills for name in faults)):
        return f"an estimate where the provider told {told}"
    most = estimate_tokens(request.text_sent)
    return None if attempt.completion_tokens <= most else f"an estimate of {counts}, at most {most}"


def _wrong_for(program: Program, call: Call, attempts: Iterable[Any]) -> str | None:
    if foreign_bytes(call.text, program.user):
        return "words of somebody else's answer"
    if not call.wish.answer.startswith(call.text):
        return f"a gap or a repeat in {call.text[-80:]!r}"
    if call.told is None:
        return None if call.faults else "was told of no end, and nothing had happened"
    booked = [(each.source, each.prompt_tokens, each.completion_tokens) for each in attempts if each and each.source]
    if booked != [("reported", *call.told)]:
        return f"told {call.told}, booked {booked}"
    return None if call.text == call.wish.answer else "told that it is whole, which it is not"
