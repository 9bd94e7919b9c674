"""What it costs to dispatch and settle an answer over a full ledger, beside an empty one, in turns."""

import time
from dataclasses import dataclass, field
from random import Random
from statistics import median

from sqlalchemy.engine import Connection

from flask_app import database
from flask_app.database import in_writing
from flask_app.domain.events import Usage
from flask_app.services.budgets import budget_service
from flask_app.services.completion.attempts import Bounds, Call, Dispatched, Outcome
from flask_app.services.ledger import metering_service

TURNS, EACH = 20, 100
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What an answer needs: who asks what of whom with which key. A program's `people` come with their access token."""

    people: list[tuple[str, str | None]]
    provider_id: str
    key_id: str
    model: str
    currency: str


@dataclass(slots=True)
class Costs:
    """Median milliseconds of each turn, over the full ledger and over the empty one."""

    full: list[float] = field(default_factory=list)
    empty: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the turns' own ratios: a slow moment of the machine slows both sides."""
        return median(full / empty for full, empty in zip(self.full, self.empty, strict=True))


@dataclass(slots=True)
class Settlement:
    """Of the transaction that dispatches, and of the one that settles."""

    dispatch: Costs = field(default_factory=Costs)
    settle: Costs = field(default_factory=Costs)


def measure(full: str, empty: str, asked: Asked, seed: int) -> Settlement:
    """`full` and `empty` are the databases' addresses; both grow by what is settled here.

    First everybody asks once: a database that has been used has the ends of its indexes in memory.
    """
    found, random = Settlement(), Random(seed)
    for url in (full, empty):
        database.connect(url)
        for person in asked.people:
            _answer(asked, person)
    for number in range(TURNS):
        sides = [(full, found.dispatch.full, found.settle.full), (empty, found.dispatch.empty, found.settle.empty)]
        for url, dispatched, settled in sides if number % 2 == 0 else reversed(sides):
            database.connect(url)
            for _ in range(WARM_UP):
                _answer(asked, random.choice(asked.people))
            times = [_answer(asked, random.choice(asked.people)) for _ in range(EACH)]
            dispatched.append(median(first for first, _ in times))
            settled.append(median(second for _, second in times))
    database.disconnect()
    return found


def _answer(asked: Asked, person: tuple[str, str | None]) -> tuple[float, float]:
    """Milliseconds of the two transactions of one answer."""
    user_id, token_id = person
    call = Call(
        user_id=user_id,
        token_id=token_id,
        channel="api" if token_id else "chat",
        model=asked.model,
        provider_id=asked.provider_id,
        currency=asked.currency,
        request_id=database.new_id(),
        address="192.0.2.1",
        prompt_estimate=500,
        run_id=database.new_id(),
        message_id=database.new_id(),
    )
    began = time.perf_counter()
    sent = in_writing(lambda connection: _dispatch(connection, call, asked.key_id))
    between = time.perf_counter()
    outcome = Outcome(usage=Usage(500, 64, 300, 0), text_parts=["text"], first_token_ms=300, duration_ms=6000)
    in_writing(lambda connection: metering_service.settle(connection, sent, outcome))
    return (between - began) * 1000, (time.perf_counter() - between) * 1000


def _dispatch(connection: Connection, call: Call, key_id: str) -> Dispatched:
    budget_service.take_turn(connection, call.user_id)
    return metering_service.dispatch(connection, call, key_id, Bounds(prompt=2000, answer=32_768))
