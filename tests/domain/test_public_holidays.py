from datetime import date, timedelta

import pytest
from holidays import country_holidays
from holidays.countries.china import ChinaStaticHolidays

from flask_app.domain import public_holidays
from scripts import generate_holidays


def test_the_file_says_what_the_library_says() -> None:
    written = generate_holidays.WRITTEN.read_text(encoding="ascii").splitlines()
    assert written == generate_holidays.lines(), "run make holidays"


@pytest.mark.parametrize(
    ("country", "year"), [("CN", 2027), ("US", 2027), ("AD", 2025), ("ZW", generate_holidays.YEARS[-1])]
)
def test_a_year_of_a_country_is_read_whole(country: str, year: int) -> None:
    known = {day for day in country_holidays(country, years=year) if day.year == year}
    assert known
    assert public_holidays.of(country, year) == known


def test_an_arranged_holiday_goes_from_its_first_day_to_its_last() -> None:
    """Weekends within it too, but none that is worked: as the State Council announced those of 2026."""
    spans = [((1, 1), 3), ((2, 15), 9), ((4, 4), 3), ((5, 1), 5), ((6, 19), 3), ((9, 25), 3), ((10, 1), 7)]
    announced = {date(2026, *first) + timedelta(days=more) for first, days in spans for more in range(days)}
    assert public_holidays.of("CN", 2026) == announced


def test_only_some_countries_arrange_their_holidays_and_only_for_a_year_ahead() -> None:
    asked = [("CN", 2025), ("CN", 2026), ("CN", 2027), ("US", 2026)]
    assert [public_holidays.are_arranged(*each) for each in asked] == [True, True, False, False]


def test_a_year_of_china_is_confirmed_once_it_is_arranged() -> None:
    """Else the library knows no working days that are moved: `_ARRANGED` goes on with it."""
    newest = max(ChinaStaticHolidays.special_public_holidays)
    assert [public_holidays.are_confirmed("CN", year) for year in (newest, newest + 1)] == [True, False]
    assert public_holidays.are_known("CN", newest + 1)
    last = generate_holidays.YEARS[-1]
    for country in ("CN", "US"):
        assert [public_holidays.are_known(country, year) for year in (last, last + 1)] == [True, False]
    assert [public_holidays.are_confirmed("US", year) for year in (last, last + 1)] == [True, False]


@pytest.mark.parametrize(("country", "year"), [("", 2026), ("XX", 2026), ("cn", 2026), ("CN", 1999), ("CN", 2100)])
def test_what_is_not_known_has_no_holidays(country: str, year: int) -> None:
    assert public_holidays.of(country, year) == frozenset()


def test_countries_are_two_letters_each_once() -> None:
    countries = public_holidays.countries()
    assert list(countries) == sorted(set(countries))
    assert {"CN", "DE", "US"} <= set(countries)
    assert all(len(code) == 2 and code.isupper() for code in countries)
    assert date(2026, 10, 1) in public_holidays.of("CN", 2026)
