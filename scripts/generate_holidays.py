"""Write flask_app/domain/public-holidays.txt from the library `holidays`; with --check, say whether it is current."""

import sys
import warnings
from datetime import date, timedelta
from pathlib import Path

from holidays import country_holidays
from holidays.registry import EntityLoader

from flask_app.domain import public_holidays

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "flask_app" / "domain" / "public-holidays.txt"
YEARS = range(2025, 2038)
A_DAY = timedelta(days=1)


def main() -> int:
    wanted = "".join(f"{line}\n" for line in lines())
    current = WRITTEN.exists() and WRITTEN.read_text(encoding="ascii") == wanted
    if "--check" in sys.argv:
        if not current:
            print("the public holidays are not the library's, run make holidays", file=sys.stderr)
        return 0 if current else 1
    if not current:
        WRITTEN.write_text(wanted, encoding="ascii")
        print(f"wrote {WRITTEN.relative_to(ROOT)}")
    return 0


def lines() -> list[str]:
    """A country's year on a line: `CN 2026 0101 0102 …`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of some countries no holidays are known for certain
        return [
            _line(code, year)
            for code in sorted(EntityLoader.get_country_codes(include_aliases=False))
            for year in YEARS
        ]


def _line(code: str, year: int) -> str:
    return " ".join([code, str(year), *(f"{day:%m%d}" for day in sorted(days_of(code, year)))])


def days_of(code: str, year: int) -> set[date]:
    """The library's, and in an arranged year the weekends that a holiday takes in, which it leaves out.

    China announces a holiday from its first day to its last: 1 to 7 October 2026 has a Sunday.
    """
    known = country_holidays(code, years=year)
    found = {day for day in known if day.year == year}
    if public_holidays.are_arranged(code, year):
        for first in tuple(found):
            for step in (A_DAY, -A_DAY):
                day = first + step
                while day in found or (known.is_weekend(day) and not known.is_working_day(day)):
                    found |= {day} if day.year == year else set()
                    day += step
    return found


if __name__ == "__main__":
    sys.exit(main())
