"""Two years of use: the attempts and the ledger's entries, block of 32 days by block, the same for the same seed.

People ask in their own hours, several times in a row; the site grows; some providers refuse, some answers break off,
some counts are estimates, a few are refunded. No words are made up: messages and conversations have been deleted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Table

from bench.ledger.cast import DAYS, OFFERS, RETIRED_AFTER, Cast, Offer, Person
from bench.ledger.ids import id_of
from bench.ledger.sums import Sums
from flask_app.database import table_of
from flask_app.domain.budget import Worst
from flask_app.domain.events import Usage
from flask_app.domain.periods import QUARTER_SECONDS, QUARTERS_A_DAY
from flask_app.models import Attempt, Tariff, TokenUsage
from flask_app.services.ledger.refund_service import NEGATED
from flask_app.services.ledger.rollup import PERSON_MONTH
from flask_app.services.tariffs import tariff_service
from flask_app.services.tariffs.tariff_service import Priced

ATTEMPTS, LEDGER = table_of(Attempt), table_of(TokenUsage)
SITE_OFFSET = 8 * 3600 * 1_000_000  # microseconds by which days of Asia/Shanghai, the site's, begin earlier
BLOCK_DAYS = PERSON_MONTH.size // QUARTERS_A_DAY
ANSWER_TOKENS = 32_768
IN_A_ROW = 4  # questions of one sitting, on average
PAUSE, PROGRAMS_PAUSE = 90_000_000, 6_000_000  # microseconds between them, on average
REFUSED, REFUNDED = 0.012, 0.001

# How an answer ended: how often, and how often it is counted by an estimate then.
OUTCOMES = {
    "complete": (94, 0.004),
    "stopped": (3, 0.3),
    "left": (1, 0.2),
    "interrupted": (0.5, 0.7),
    "failed": (1.5, 0.5),
}
HOURS = [1, 1, 0, 0, 0, 0, 1, 3, 8, 14, 15, 12, 7, 9, 14, 15, 13, 10, 6, 6, 7, 6, 4, 2]  # of a local day

_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - files hold times without their zone, as the tables do
_ORDINAL = date(1970, 1, 1).toordinal()

Row = tuple[Table, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Cell:
    """What one person asks on one day (of UTC, counted from 1970)."""

    day: int
    person: Person
    count: int


@dataclass(frozen=True, slots=True)
class Story:
    seed: int
    cast: Cast
    until: int  # microseconds since 1970
    first_day: int
    cells: dict[int, list[Cell]]  # by the number of the block of 32 days


def plan(cast: Cast, rows: int, seed: int, until: datetime) -> Story:
    """Spread `rows` answers over people and days; times of `until` are not reached."""
    end = int(until.timestamp() * 1_000_000)
    last = end // _DAY
    days = range(last - DAYS + 1, last + 1)
    random = Random(seed)
    weights = [(day, person, _weight(random, day, day - days[0], person)) for day in days for person in cast.people]
    whole = sum(weight for *_, weight in weights)
    cells: dict[int, list[Cell]] = {}
    so_far, given = 0.0, 0
    for day, person, weight in weights:
        so_far += weight
        count = round(rows * so_far / whole) - given
        given += count
        if count:
            cells.setdefault(day // BLOCK_DAYS, []).append(Cell(day, person, count))
    return Story(seed=seed, cast=cast, until=end, first_day=days[0], cells=cells)


def _weight(random: Random, day: int, number: int, person: Person) -> float:
    """Of a day, the `number`th. Sites grow, weekends are quiet, nobody asks every day as much."""
    if not person.joined <= number < person.left or random.random() < 0.2:
        return 0.0
    weekend = (day + 3) % 7 >= 5  # 1 January 1970 was a Thursday
    return person.use * (1 + 2 * number / DAYS) * (0.2 if weekend else 1.0) * random.lognormvariate(0, 0.7)


def rows_of(story: Story, block: int) -> Iterator[Row]:
    """All rows of a block: attempts, entries, then what is added up from them."""
    sums = Sums()
    for table, row in _Teller(story, block).tell():
        if table is LEDGER:
            sums.add(row)
        yield table, row
    yield from sums.rows()


class _Teller:
    def __init__(self, story: Story, block: int) -> None:
        self._random = Random(f"{story.seed} {block}")
        self._story = story
        self._cells = story.cells[block]
        self._end = min(story.until, (block + 1) * BLOCK_DAYS * _DAY) - 1
        self._prices: dict[tuple[int, str], Priced | None] = {}
        self._tariffs = [SimpleNamespace(**row) for row in story.cast.rows[Tariff]]
        self._outcomes = list(OUTCOMES), list(accumulate(weight for weight, _ in OUTCOMES.values()))

    def tell(self) -> Iterator[Row]:
        for cell in self._cells:
            left = cell.count
            while left:
                size = min(left, 1 + int(self._random.expovariate(1 / (IN_A_ROW - 1))))
                yield from self._sitting(cell, size)
                left -= size

    def _sitting(self, cell: Cell, size: int) -> Iterator[Row]:
        random, person = self._random, cell.person
        offer = random.choices(OFFERS, person.tastes)[0]
        if offer.retired and cell.day - self._story.first_day > RETIRED_AFTER:
            offer = OFFERS[0]
        channel = "api" if random.random() < person.programs else "chat"
        pause = PROGRAMS_PAUSE if channel == "api" else PAUSE
        moment, said = self._beginning(cell), 0
        for _ in range(size):
            usage = self._usage(offer, said)
            said = usage.prompt_tokens + usage.completion_tokens
            yield from self._answer(min(moment, self._end), person, offer, channel, usage)
            moment += int(random.expovariate(1 / pause))

    def _beginning(self, cell: Cell) -> int:
        hour = self._random.choices(range(24), HOURS)[0]
        offset = datetime.fromtimestamp(cell.day * 86_400, cell.person.zone).utcoffset()
        assert offset is not None
        within = (hour * 3_600_000_000 - offset // timedelta(microseconds=1)) % _DAY
        moment = cell.day * _DAY + within + self._random.randrange(3_600_000_000)
        return moment if moment < self._end else cell.day * _DAY + self._random.randrange(self._end % _DAY + 1)

    def _usage(self, offer: Offer, said: int) -> Usage:
        """Each question comes with all that was said before, most of which the provider's cache knows."""
        random = self._random
        prompt = said + int(random.lognormvariate(5.3, 1.0))
        cached = int(said * random.uniform(0.7, 1.0)) // 64 * 64
        completion = min(1 + int(random.lognormvariate(5.5, 0.9)), ANSWER_TOKENS)
        reasoning = int(completion * random.uniform(0.2, 0.8)) if offer.thinks else 0
        return Usage(prompt, cached, completion, reasoning)

    def _answer(self, moment: int, person: Person, offer: Offer, channel: str, usage: Usage) -> Iterator[Row]:
        random, run = self._random, id_of(self._random, moment // 1000) if channel == "chat" else None
        attempt = self._attempt(moment, person, offer, channel, usage) | {"run_id": run}
        if offer.keys and random.random() < REFUSED:
            failed = {"id": id_of(random, moment // 1000), "state": "released", "bytes_received": 0}
            yield ATTEMPTS, attempt | failed | random.choice(_REFUSALS)
        yield ATTEMPTS, attempt
        entry = self._entry(moment, attempt, usage)
        yield LEDGER, entry
        later = moment + int(random.expovariate(1 / _DAY))
        if random.random() < REFUNDED and later < self._end:
            yield LEDGER, _opposite(entry, later, id_of(random, later // 1000))

    def _attempt(self, moment: int, person: Person, offer: Offer, channel: str, usage: Usage) -> dict[str, Any]:
        random, milliseconds, cast = self._random, moment // 1000, self._story.cast
        keys = offer.keys
        key = None if not keys else cast.keys[random.choices(keys, [weight for _, weight in keys])[0][0]]
        priced = self._priced(moment, offer)
        most = Worst(4 * usage.prompt_tokens + 100, ANSWER_TOKENS, priced.prices if priced else None)
        return {
            "id": id_of(random, milliseconds),
            "request_id": id_of(random, milliseconds),
            "user_id": person.id,
            "run_id": None,
            "message_id": id_of(random, milliseconds) if channel == "chat" else None,
            "token_id": random.choice(person.tokens) if channel == "api" else None,
            "provider_id": cast.providers[offer.provider],
            "key_id": key,
            "channel": channel,
            "model": offer.model,
            "prompt_estimate": usage.prompt_tokens,
            "address": "192.0.2.1",
            "state": "settled",
            "status_code": 200,
            "error_code": None,
            "bytes_received": 40 * usage.completion_tokens,
            "group_id": person.group_id,
            "day": _site_day(moment),
            "max_tokens": ANSWER_TOKENS,
            "reserved_tokens": most.tokens,
            "reserved_micros": most.micros,
            "currency": offer.currency if priced else None,
            "created_at": _moment(moment),
            "ended_at": _moment(moment + 20_000 * usage.completion_tokens),
        }

    def _entry(self, moment: int, attempt: dict[str, Any], usage: Usage) -> dict[str, Any]:
        random = self._random
        names, weights = self._outcomes
        outcome = random.choices(names, cum_weights=weights)[0]
        first, offer = random.randrange(150, 3000), _BY_MODEL[attempt["model"]]
        estimated = random.random() < OUTCOMES[outcome][1]
        priced = self._priced(moment, offer)
        return {
            "id": id_of(random, moment // 1000 + first),
            "attempt_id": attempt["id"],
            "kind": "usage",
            **{name: attempt[name] for name in _SAME},
            "actual_model": offer.model,
            "source": "estimated" if estimated else "reported",
            "outcome": outcome,
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "cost_micros": priced.cost(usage) if priced else None,
            "cache_saved_micros": priced.cache_saved(usage) if priced else 0,
            "peak_extra_micros": priced.peak_extra(usage) if priced else 0,
            "peak": int(priced.peak) if priced and priced.peak is not None else None,
            "tariff_id": priced.tariff_id if priced else None,
            "first_token_ms": None if outcome == "failed" else first,
            "duration_ms": first + 20 * usage.completion_tokens,
            "quarter": moment // 1_000_000 // QUARTER_SECONDS,
            "reason": None,
        }

    def _priced(self, moment: int, offer: Offer) -> Priced | None:
        """Prices change on whole quarter-hours alone."""
        known = moment // 1_000_000 // QUARTER_SECONDS, offer.model
        if known not in self._prices:
            at = datetime.fromtimestamp(known[0] * QUARTER_SECONDS, UTC)
            found: list[Any] = [row for row in self._tariffs if row.model == offer.model and row.starts_at <= at]
            self._prices[known] = tariff_service.of_row(found[-1], at) if found else None
        return self._prices[known]


_BY_MODEL = {offer.model: offer for offer in OFFERS}
_SAME = (
    "user_id",
    "token_id",
    "message_id",
    "provider_id",
    "key_id",
    "channel",
    "model",
    "currency",
    "group_id",
    "day",
    "created_at",
)
_REFUSALS: list[dict[str, Any]] = [
    {"status_code": 429, "error_code": "upstream_busy"},
    {"status_code": 503, "error_code": "upstream_overloaded"},
]


def _opposite(entry: dict[str, Any], moment: int, refund_id: str) -> dict[str, Any]:
    given_back = {name: entry[name] and -entry[name] for name in NEGATED}
    of_its_own = {
        "id": refund_id,
        "kind": "refund",
        "reason": "The answer was of no use",
        "duration_ms": 0,
        "first_token_ms": None,
        "quarter": moment // 1_000_000 // QUARTER_SECONDS,
        "created_at": _moment(moment),
    }
    return entry | given_back | of_its_own


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _site_day(moment: int) -> date:
    return date.fromordinal(_ORDINAL + (moment + SITE_OFFSET) // _DAY)
