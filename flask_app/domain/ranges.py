"""Ranges of local days as people choose them, and what a range is compared with."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask_app.domain.periods import first_of_month, monday_of

SHOWN_DAYS = 30
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Local days from `first` to `last`, both within."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Days":
        """As many days, ending with the one before the first."""
        return Days(self.first - len(self) * _A_DAY, self.first - _A_DAY)


def ending(last: date, count: int) -> Days:
    """So many days up to `last`."""
    return Days(last - (count - 1) * _A_DAY, last)


def presets(today: date, since: date) -> dict[str, Days]:
    """What is offered to choose from; use began on the day `since`. None reaches beyond today."""
    last_month = first_of_month(today) - _A_DAY
    return {
        "today": Days(today, today),
        "days_7": ending(today, 7),
        "days_30": ending(today, SHOWN_DAYS),
        "week": Days(monday_of(today), today),
        "month": Days(first_of_month(today), today),
        "last_month": Days(first_of_month(last_month), last_month),
        "year": Days(today.replace(month=1, day=1), today),
        "all": Days(min(since, today), today),
    }
