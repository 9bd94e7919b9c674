"""How the roll-up is asked: what is a person's own is found by the person, however much others have used."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, event, select
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from flask_app.config import DATABASES, SQLITE
from flask_app.database import table_of
from flask_app.domain import periods
from flask_app.domain.ranges import Days
from flask_app.models import UsageHourly
from flask_app.services.ledger.rollup import DETAIL, DETAIL_DAY, DETAIL_MONTH, PERSON_MONTH, rollup
from flask_app.services.queries.whole import Quotient
from flask_app.services.usage import local_days, slices
from flask_app.services.usage.sums import figures

ZONE, DAYS = ZoneInfo("America/New_York"), Days(date(2026, 1, 1), date(2026, 11, 25))
PERSON = "x"


@pytest.fixture
def session() -> Iterator[Session]:
    """An SQLite that has never counted its rows, as one in use has not."""
    engine = create_engine("sqlite://")
    table_of(UsageHourly).create(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_a_persons_own_figures_are_found_by_the_persons_index(session: Session) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    slices.by_hour(session, ZONE, DAYS, PERSON)
    slices.first_day(session, ZONE, PERSON)
    period = periods.span(DAYS.first, DAYS.last, ZONE)
    query = select(rollup.c.model, *figures()).group_by(rollup.c.model, rollup.c.currency)
    session.execute(slices.of_period(query, (DETAIL_MONTH, DETAIL_DAY, DETAIL), period, PERSON))
    session.execute(select(*figures()).where(*slices.rows(PERSON_MONTH, PERSON)).group_by(rollup.c.currency))
    assert len(asked) == 4
    for statement, values in asked.copy():  # what is asked here is listed too
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        searched = [step[3] for step in plan if "usage_hourly" in step[3]]
        assert searched, plan
        assert all("ix_usage_hourly_of_user (user_id=? AND slice=?" in step for step in searched), searched


@pytest.mark.parametrize("person", [PERSON, None])
def test_days_and_months_are_looked_up_block_by_block_in_one_statement(session: Session, person: str | None) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    for name in ("Asia/Kathmandu", "America/New_York", "UTC"):
        local_days.by_day(session, ZoneInfo(name), DAYS, person)
        local_days.by_month(session, ZoneInfo(name), DAYS, person)
    assert len({statement for statement, _ in asked}) == 1
    plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1]).all()
    first, then = [step[3] for step in plan if step[3].startswith(("SCAN", "SEARCH"))][:2]
    assert "json_each" in first
    assert "usage_hourly USING PRIMARY KEY (slice=? AND block=?" in then


@pytest.mark.parametrize("address", [each for each in DATABASES if each != SQLITE])
def test_a_server_goes_through_the_list_and_not_through_the_roll_up(address: str) -> None:
    dialect = make_url(f"{address}server/name").get_dialect()()
    statement = str(local_days._of_blocks(of_person=True).compile(dialect=dialect))
    assert "FROM (SELECT STRAIGHT_JOIN " in statement


def test_other_databases_are_asked_without_a_hint() -> None:
    statement = select(*figures()).where(*slices.rows(DETAIL, PERSON))
    on_sqlite, on_mysql = (str(statement.compile(dialect=each.dialect())) for each in (sqlite, mysql))
    assert "likely(usage_hourly.slice = ?)" in on_sqlite
    assert "likely" not in on_mysql
    assert "usage_hourly.slice = %s" in on_mysql


def test_whole_numbers_are_divided_as_such_by_every_database() -> None:
    quotient = Quotient(rollup.c.block, periods.QUARTERS_A_DAY)
    on_sqlite, on_mysql = (str(quotient.compile(dialect=each.dialect())) for each in (sqlite, mysql))
    assert on_sqlite == "((usage_hourly.block) / ?)"
    assert on_mysql == "((usage_hourly.block) DIV %s)"
