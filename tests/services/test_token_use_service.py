"""What access tokens used is found by each token's days and months, however long others and other days have been."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import combinations_with_replacement
from typing import Any

import pytest
from sqlalchemy import Table, delete, event, insert, text

from flask_app.database import engine, fetching, new_id, transaction, writing
from flask_app.models import AccessToken, User
from flask_app.services.ledger.spending import months, spent
from flask_app.services.tokens import token_use_service
from flask_app.services.tokens.token_use_service import TokenUse
from flask_app.services.usage.stats_service import DateRange
from tests.conftest import MakeUser

FIRST, DAYS = date(2025, 1, 1), 200  # up to 19 July
IN_TIME = [FIRST, date(2025, 1, 15), date(2025, 1, 31), date(2025, 2, 1), date(2025, 5, 31), date(2025, 6, 10)]
A_DAY = DateRange(date(2025, 3, 9), date(2025, 3, 9))
MONTHS = DateRange(date(2025, 1, 15), date(2025, 6, 10))
KEY_BYTES = {spent: 16 * 4 + 2 + 64 + 2 + 8 * 4 + 2 + 3, months: 64 + 2 + 8 * 4 + 2 + 3}  # as MariaDB counts them

pytestmark = pytest.mark.unsound_ledger("days without their entries")


@pytest.fixture
def people(make_user: MakeUser) -> list[User]:
    """Two, each with twenty tokens that were used every day, and a person whose tokens were not."""
    people = [make_user(name) for name in ("ada", "bo", "chen")]
    tokens = [token for person in people for token in give(person, 20)]
    whose = [("user", person.id) for person in people] + [("token", token) for token in tokens[:40]]
    use([("site", ""), *whose], DAYS)
    fill_with_months_of_others()
    with fetching() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text("ANALYZE TABLE spent_daily, spent_monthly"))
    return people


def give(person: User, count: int) -> list[str]:
    tokens = [
        {"id": new_id(), "user_id": person.id, "name": "scripts", "digest": new_id(), "hint": ""} for _ in range(count)
    ]
    with transaction() as session:
        session.execute(insert(AccessToken), tokens)
    return [token["id"] for token in tokens]


def use(counters: list[tuple[str, str]], days: int) -> None:
    """From the first day on."""
    rows: list[tuple[str, str, str, date, int]] = []
    by_month: Counter[tuple[str, str, date]] = Counter()
    for scope, scope_id in counters:
        for day in (FIRST + timedelta(days=number) for number in range(days)):
            for unit, amount in used_on(day).items():
                rows.append((scope, scope_id, unit, day, amount))
                if scope == "token":
                    by_month[scope_id, unit, day.replace(day=1)] += amount
    for table, added in ((spent, rows), (months, [(*key, amount) for key, amount in by_month.items()])):
        names = [column.name for column in table.columns]
        with transaction() as session:
            session.execute(insert(table), [dict(zip(names, row, strict=True)) for row in added])


def fill_with_months_of_others() -> None:
    """Of a table that is mostly asked for a server reads all, whatever its key."""
    firsts = [date(2025, month, 1) for month in range(1, 8)]
    rows = [
        {"token_id": f"other {number}", "unit": unit, "month": first, "amount": 1}
        for number in range(300)
        for unit in ("tokens", "CNY")
        for first in firsts
    ]
    with transaction() as session:
        session.execute(insert(months), rows)


def used_on(day: date) -> dict[str, int]:
    """No two ranges have the same sum."""
    number = (day - FIRST).days
    return {"tokens": 1 + number**2, "CNY": 1000 + number}


def sums(dates: DateRange) -> dict[str, int]:
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    within = [day for day in days if (dates.first or FIRST) <= day <= (dates.last or date.max)]
    return {unit: sum(used_on(day)[unit] for day in within) for unit in ("tokens", "CNY")}


def test_ones_own_and_everybodys(people: list[User]) -> None:
    ada, bo, chen = people
    for dates in (DateRange(), A_DAY, MONTHS):
        mine, everybodys = token_use_service.own(ada, dates), token_use_service.site(dates)
        assert {use.username for use in mine} == {"ada"}
        everybodys = [use for use in everybodys if use.username]
        assert {use.username for use in everybodys} == {"ada", "bo"}
        assert (len(mine), len(everybodys)) == (20, 40)
        assert [use.id for use in mine] == sorted(use.id for use in mine)
        for use in everybodys:
            assert {"tokens": use.total_tokens, **use.costs} == sums(dates)
    assert token_use_service.own(bo, DateRange(last=FIRST - timedelta(days=1))) == []
    assert token_use_service.own(chen, DateRange()) == []


def test_what_people_used_who_left_stands_under_the_tokens_id(member: User) -> None:
    """Or everybody's would be less than was used."""
    tokens = give(member, 2)
    use([("site", ""), *(("token", token) for token in tokens)], DAYS)
    with transaction() as session:
        session.execute(delete(AccessToken).where(AccessToken.id == tokens[0]))
    found = {use.id: (use.name, use.username, use.total_tokens) for use in token_use_service.site(A_DAY)}
    tokens_used = sums(A_DAY)["tokens"]
    assert found == {
        tokens[0]: (tokens[0], "", tokens_used),
        tokens[1]: (found[tokens[1]][0], "member", tokens_used),
    }
    assert [use.id for use in token_use_service.own(member, A_DAY)] == tokens[1:]


def test_any_range_is_the_sum_of_its_days(member: User) -> None:
    (token,) = give(member, 1)
    use([("site", ""), ("token", token)], DAYS)
    ranges = [DateRange(*each) for each in combinations_with_replacement(IN_TIME, 2)]
    ranges += [DateRange(first, last) for day in IN_TIME for first, last in ((day, None), (None, day))]
    ranges += [DateRange(), DateRange(date(1970, 1, 2), date(9999, 12, 30))]
    for dates in ranges:
        (used,) = token_use_service.own(member, dates)
        assert {"tokens": used.total_tokens, **used.costs} == sums(dates), dates
    assert token_use_service.own(member, DateRange(date(9999, 12, 30))) == []


def test_none_is_left_out_of_more_than_a_query_names(member: User) -> None:
    tokens = give(member, 1000)
    use([("site", ""), *(("token", token) for token in tokens)], 1)
    assert [used.id for used in token_use_service.own(member, DateRange())] == sorted(tokens)


def test_whole_months_are_read_by_their_sums(people: list[User]) -> None:
    whole = token_use_service.site(MONTHS)
    with writing() as connection:
        of_months = spent.c.day.between(date(2025, 2, 1), date(2025, 5, 31))
        assert connection.execute(delete(spent).where(spent.c.scope == "token", of_months)).rowcount
    assert token_use_service.site(MONTHS) == whole


@pytest.mark.parametrize(("dates", "parts"), [(A_DAY, 1), (MONTHS, 3), (DateRange(MONTHS.first, None), 2)])
def test_only_the_days_asked_for_are_read(people: list[User], dates: DateRange, parts: int) -> None:
    for ask in (lambda: token_use_service.site(dates), lambda: token_use_service.own(people[0], dates)):
        statements = [(table, *each) for each in asked(ask) for table in KEY_BYTES if f"sum({table.name}." in each[0]]
        assert len(statements) == parts
        assert all(is_by_its_key(*each) for each in statements)


def asked(ask: Callable[[], list[TokenUse]]) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def keep(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        seen.append((statement, values))

    event.listen(engine(), "before_cursor_execute", keep)
    ask()
    event.remove(engine(), "before_cursor_execute", keep)
    return seen


def is_by_its_key(table: Table, statement: str, values: Any) -> bool:
    """Is the whole key searched, the days or months as a range of it?"""
    *first, last = table.primary_key.columns.keys()
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            searched = f"PRIMARY KEY ({' AND '.join(f'{name}=?' for name in first)} AND {last}>?"
            return any(searched in step.detail for step in plan)
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
    return ("range", "PRIMARY", str(KEY_BYTES[table])) in [(step.type, step.key, step.key_len) for step in plan]
