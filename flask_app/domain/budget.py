"""Budgets: the days of a period, the most that an answer may use, and how long an answer a budget has room for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_app.domain import periods
from flask_app.domain.tariff import PRICED_TOKENS, Prices

SCOPES = ("token", "user", "member", "group", "site")  # in this order a person is told of the one that is used up
RENEWING = ("day", "week", "month")
PREPAID = "prepaid"  # the period of a balance: it never renews
TOTAL = "total"  # that of what an access token may use in all
PERIODS = (*RENEWING, PREPAID, TOTAL)
TOKENS = "tokens"  # the unit of a budget that is not money
MIN_ANSWER = 256  # tokens: a shorter answer is not worth to be asked for

# Byte-level encodings make at most one token of a byte. What a provider puts around a message (its role, the marks of
# its beginning and end) and around the whole is a few tokens; this is many.
MESSAGE_TOKENS, REQUEST_TOKENS = 16, 64

STATES = ("open", "low", "exhausted")
LOW_PART = 5  # less than a fifth left is low
LEAST_TOKENS = REQUEST_TOKENS + MESSAGE_TOKENS + 1 + MIN_ANSWER  # with less left no message at all is answered


@dataclass(frozen=True, slots=True)
class Days:
    """From `first` to `last`, both within."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an attempt has set aside for itself, and whose budgets on which day it counts against.

    `day` is one of the site's time zone. `answer_tokens` is sent to the provider as the most that it may write. Where
    nothing has a price in the currency, `micros` and `currency` are None; of before the budgets, all of it is.
    """

    group_id: str | None = None
    day: date | None = None
    answer_tokens: int | None = None
    tokens: int | None = None
    micros: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """Of the budgets in tokens that bind a request the one with the least `left`, what others have set aside taken
    away. It begins anew at `renews_at`, or never.
    """

    limit: int
    left: int
    renews_at: datetime | None


@dataclass(frozen=True, slots=True)
class Worst:
    """The most that an attempt may use: its prompt's bound, and `answer` tokens, at prices that none passes.

    What the request itself costs is part of it.
    """

    prompt: int
    answer: int
    prices: Prices | None

    @property
    def tokens(self) -> int:
        return self.prompt + self.answer

    @property
    def micros(self) -> int | None:
        """Rounded up; None without a price."""
        if self.prices is None:
            return None
        tokens = self.prompt * _dearest_input(self.prices) + self.answer * self.prices.output
        return self.prices.request - (-tokens // PRICED_TOKENS)


_ALWAYS = Days(date(1970, 1, 1), date(9999, 12, 31))


def days_of(period: str, day: date) -> Days:
    """The period that `day` is in: itself, its week from Monday, its month, or all days for what never renews."""
    if period not in RENEWING:
        return _ALWAYS
    if period == "day":
        return Days(day, day)
    if period == "week":
        monday = periods.monday_of(day)
        return Days(monday, monday + timedelta(days=6))
    first = periods.first_of_month(day)
    return Days(first, periods.first_of_month(first + timedelta(days=31)) - timedelta(days=1))


def prompt_bound(messages: Iterable[str]) -> int:
    """More tokens than a prompt of these messages can be, whatever the encoding."""
    return REQUEST_TOKENS + sum(MESSAGE_TOKENS + len(message.encode()) for message in messages)


def least_left(unit: str, *, hard: bool, costs: Mapping[str, int]) -> int:
    """With less left a budget is used up: what the shortest message takes, where one that does not fit is refused.

    `costs` says it for money, by currency; of a currency in which nothing has a price the last micro-unit is enough.
    """
    if not hard:
        return 1
    return LEAST_TOKENS if unit == TOKENS else costs.get(unit, 1)


def least_cost(prices: Prices) -> int:
    """Micro-units that the shortest message sets aside, as `LEAST_TOKENS` does tokens."""
    return Worst(LEAST_TOKENS - MIN_ANSWER, MIN_ANSWER, prices).micros or 0


def longest_answer(worst: Worst, left: int, *, money: bool) -> int:
    """How many tokens of an answer `left` pays for after request and prompt, `worst.answer` at most; negative for none.

    `left` is tokens, or micro-units of the prices' currency. Where nothing has a price money bounds nothing, but once
    none is left nobody is asked either: a price may come any time.
    """
    if not money:
        return min(left - worst.prompt, worst.answer)
    if worst.prices is None:
        return worst.answer if left > 0 else -1
    rest = (left - worst.prices.request) * PRICED_TOKENS - worst.prompt * _dearest_input(worst.prices)
    if rest < 0:
        return -1
    return min(rest // worst.prices.output, worst.answer) if worst.prices.output else worst.answer


def _dearest_input(prices: Prices) -> int:
    return max(prices.input_hit, prices.input_miss)
