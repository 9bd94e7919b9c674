"""What access tokens used is found by each token's days, however long others and other days have been."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from flask_app.database import engine, fetching, new_id, transaction
from flask_app.models import AccessToken, User
from flask_app.services import token_use_service
from flask_app.services.spending import spent
from flask_app.services.stats_service import DateRange
from flask_app.services.token_use_service import TokenUse
from tests.conftest import MakeUser

FIRST, DAYS = date(2025, 1, 1), 200
UNITS = {"tokens": 150, "CNY": 1000}
OF_NEW_YEAR = DateRange(FIRST, FIRST)
KEY_BYTES = 16 * 4 + 2 + 64 + 2 + 8 * 4 + 2 + 3  # scope, scope_id, unit and day, as MariaDB counts them

pytestmark = pytest.mark.unsound_ledger  # days without their entries


@pytest.fixture
def people(make_user: MakeUser) -> list[User]:
    """Two, each with twenty tokens that were used every day, and a person whose tokens were not."""
    people = [make_user(name) for name in ("ada", "bo", "chen")]
    tokens = [token for person in people for token in give(person, 20)]
    whose = [("user", person.id) for person in people] + [("token", token) for token in tokens[:40]]
    use([("site", ""), *whose], DAYS)
    with fetching() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text("ANALYZE TABLE spent_daily"))
    return people


def give(person: User, count: int) -> list[str]:
    tokens = [
        {"id": new_id(), "user_id": person.id, "name": "scripts", "digest": new_id(), "hint": ""} for _ in range(count)
    ]
    with transaction() as session:
        session.execute(insert(AccessToken), tokens)
    return [token["id"] for token in tokens]


def use(counters: list[tuple[str, str]], days: int) -> None:
    """On each of the first days the same."""
    rows = [
        {"scope": scope, "scope_id": scope_id, "unit": unit, "day": FIRST + timedelta(days=number), "amount": amount}
        for scope, scope_id in counters
        for unit, amount in UNITS.items()
        for number in range(days)
    ]
    with transaction() as session:
        session.execute(insert(spent), rows)


def test_a_range_is_that_of_everybodys_or_ones_own(people: list[User]) -> None:
    ada, bo, chen = people
    for dates, days in ((DateRange(), DAYS), (OF_NEW_YEAR, 1), (DateRange(FIRST + timedelta(days=190)), 10)):
        mine, everybodys = token_use_service.own(ada, dates), token_use_service.site(dates)
        assert {use.username for use in mine} == {"ada"}
        assert {use.username for use in everybodys} == {"ada", "bo"}
        assert (len(mine), len(everybodys)) == (20, 40)
        for use in everybodys:
            assert (use.total_tokens, use.costs) == (150 * days, {"CNY": 1000 * days})
    assert token_use_service.own(bo, DateRange(last=FIRST - timedelta(days=1))) == []
    assert token_use_service.own(chen, DateRange()) == []


def test_none_is_left_out_of_more_than_a_query_names(member: User) -> None:
    tokens = give(member, 1000)
    use([("site", ""), *(("token", token) for token in tokens)], 1)
    assert [used.id for used in token_use_service.own(member, DateRange())] == sorted(tokens)


def test_only_the_days_asked_for_are_read(people: list[User]) -> None:
    for ask in (lambda: token_use_service.site(OF_NEW_YEAR), lambda: token_use_service.own(people[0], OF_NEW_YEAR)):
        (statement,) = [each for each in asked(ask) if "sum(spent_daily.amount)" in each[0]]
        assert is_by_days(*statement)


def asked(ask: Callable[[], list[TokenUse]]) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def keep(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        seen.append((statement, values))

    event.listen(engine(), "before_cursor_execute", keep)
    ask()
    event.remove(engine(), "before_cursor_execute", keep)
    return seen


def is_by_days(statement: str, values: Any) -> bool:
    """Is the whole key searched, the days as a range of it?"""
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            searched = "PRIMARY KEY (scope=? AND scope_id=? AND unit=? AND day>? AND day<?)"
            return any(searched in step.detail for step in plan)
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
    return ("range", "PRIMARY", str(KEY_BYTES)) in [(step.type, step.key, step.key_len) for step in plan]
