"""Public holidays by country, from the library `holidays`.

Its days are kept in a file (`make holidays` writes it anew). Importing the library in the server would take 11 MB
and hold up every stream for a third of a second.
"""

from datetime import date
from functools import cache, lru_cache
from pathlib import Path

_FILE = Path(__file__).with_name("public-holidays.txt")


@lru_cache(maxsize=64)
def of(country: str, year: int) -> frozenset[date]:
    """The holidays of an ISO 3166 country; none for one that is not known, and beyond the years of the file."""
    _, found, rest = _read().partition(f"\n{country} {year}")
    days = rest.partition("\n")[0].split() if found else []
    return frozenset(date(year, int(day[:2]), int(day[2:])) for day in days)


@cache
def countries() -> tuple[str, ...]:
    """The codes of the countries that are known, sorted."""
    return tuple(dict.fromkeys(line[:2] for line in _read().splitlines() if line))


def _read() -> str:
    return "\n" + _FILE.read_text(encoding="ascii")
