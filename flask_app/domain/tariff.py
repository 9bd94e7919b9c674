"""What an answer costs: tokens × price at a moment → integer money. The only rounding is in `cost`."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from flask_app.domain.events import Usage

PRICED_TOKENS = 1_000_000  # prices are for so many tokens

_DAYS = frozenset(range(7))  # Monday is 0
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")


@dataclass(frozen=True, slots=True)
class Prices:
    """Micro-units of a currency per 1,000,000 tokens: input found in the provider's cache, other input, output."""

    input_hit: int
    input_miss: int
    output: int


def cost(usage: Usage, prices: Prices) -> int:
    """Micro-units for `usage`, rounded once over the sum, half up. Thinking is part of the output."""
    missed = usage.prompt_tokens - usage.cached_tokens
    exact = (
        usage.cached_tokens * prices.input_hit + missed * prices.input_miss + usage.completion_tokens * prices.output
    )
    return (2 * exact + PRICED_TOKENS) // (2 * PRICED_TOKENS)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A provider's own hours of high prices. `hours` are [from, to) in minutes after local midnight.

    `holidays` are days without peak hours: a country's public holidays, or the listed days. A weekend day that
    the country makes up work on stays a weekend day.
    """

    timezone: ZoneInfo
    weekdays: frozenset[int]
    hours: tuple[tuple[int, int], ...]
    holidays: str | frozenset[date]

    @staticmethod
    @lru_cache(maxsize=64)
    def parse(written: str) -> "Calendar":
        """Read a tariff's calendar; raises ValueError when it is malformed.

        `{"timezone": "Asia/Shanghai", "weekdays": [0, 1, 2, 3, 4], "hours": [["09:00", "12:00"]], "holidays": "CN"}`:
        Monday is 0; `holidays` is an ISO 3166 country, a list of dates, or absent.
        """
        raw = msgspec.json.decode(written, type=_Written)
        if not _DAYS.issuperset(raw.weekdays):
            raise ValueError("weekdays run from 0 (Monday) to 6")
        return Calendar(
            ZoneInfo(raw.timezone),
            frozenset(raw.weekdays),
            tuple(_span(start, end) for start, end in raw.hours),
            raw.holidays if isinstance(raw.holidays, str) else frozenset(raw.holidays),
        )

    def is_peak(self, moment: datetime) -> bool:
        """Is the aware `moment` within the hours of high prices? The end of a span is outside it."""
        local = moment.astimezone(UTC).astimezone(self.timezone)
        minute = local.hour * 60 + local.minute
        return (
            local.weekday() in self.weekdays
            and any(start <= minute < end for start, end in self.hours)
            and local.date() not in self._holidays_of(local.year)
        )

    def _holidays_of(self, year: int) -> frozenset[date]:
        if isinstance(self.holidays, str):
            return _public_holidays(self.holidays, year) if self.holidays else frozenset()
        return self.holidays


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    timezone: str
    weekdays: list[int]
    hours: list[tuple[str, str]]
    holidays: str | list[date] = ""


def _span(start: str, end: str) -> tuple[int, int]:
    span = _minutes(start), _minutes(end)
    if span[0] >= span[1]:
        raise ValueError(f"{start} to {end} is no span within a day: write one over midnight as two")
    return span


def _minutes(clock: str) -> int:
    match = _CLOCK.fullmatch(clock)
    if match is None:
        raise ValueError(f"{clock!r} is not a time such as 09:00")
    hour, minute = (int(part) for part in match.groups() if part)
    return hour * 60 + minute


@lru_cache(maxsize=16)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    # Imported when first needed: the library takes about 11 MB, and many a server never meets a peak hour.
    from holidays import country_holidays

    return frozenset(country_holidays(country, years=year))
