"""Public holidays by country, from the library `holidays`.

Its days are kept in a file (`make holidays` writes it anew). Importing the library in the server would take 11 MB
and hold up every stream for a third of a second.
"""

from datetime import date
from functools import cache, lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("public-holidays.txt")
# Where holidays are arranged anew each year, with working days moved: the last year whose arrangement the file has,
# weekends within them too. Of later ones it has the days that the law names.
_ARRANGED = {"CN": 2026}


@lru_cache(maxsize=64)
def of(country: str, year: int) -> frozenset[date]:
    """The holidays of an ISO 3166 country; none for one that is not known, and beyond the years of the file."""
    _, found, rest = _read().partition(f"\n{country} {year}")
    days = rest.partition("\n")[0].split() if found else []
    return frozenset(date(year, int(day[:2]), int(day[2:])) for day in days)


def are_known(country: str, year: int) -> bool:
    """Are there days of the year? Beyond the years of the file there are none."""
    return bool(of(country, year))


def are_arranged(country: str, year: int) -> bool:
    """Are they of a country that arranges them anew each year, and of a year that it has arranged?"""
    return country in _ARRANGED and year <= _ARRANGED[country]


def are_confirmed(country: str, year: int) -> bool:
    """Are they known, and arranged already where that is done anew each year?"""
    return are_known(country, year) and (country not in _ARRANGED or are_arranged(country, year))


@cache
def countries() -> tuple[str, ...]:
    """The codes of the countries that are known, sorted."""
    return tuple(dict.fromkeys(line[:2] for line in _read().splitlines() if line))


def _read() -> str:
    return "\n" + _FILE.read_text(encoding="ascii")
