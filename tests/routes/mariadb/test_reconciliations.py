"""Two processes compare a day with the provider's balance for the first time, in the same moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, event, insert, select

from flask_app import database
from flask_app.database import in_writing, reading, table_of
from flask_app.domain.balance import Balance, Sum
from flask_app.models import Reconciliation
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.reconciliation import readings, reconciliation_service
from tests.routes.mariadb.site import Site
from tests.support import drifts

KEY = UsableKey("k", "", "", "p")
EIGHT = datetime(2026, 11, 25, 0, tzinfo=UTC)  # in Shanghai


def tell(hours: int, total: int) -> None:
    """A reading so many hours later."""
    sums = [Sum(currency="CNY", total=total, granted=0, topped_up=total)]
    asked = EIGHT + timedelta(hours=hours)
    in_writing(lambda connection: readings.keep(connection, KEY, Balance(available=True, sums=sums), asked))
    reconciliation_service.refresh("k", asked)


def test_who_comes_second_writes_over_the_first_and_raises_no_second_alarm(site: Site) -> None:
    tell(0, 10_000_000)
    days, others = table_of(Reconciliation), create_engine(site.server.url)
    came_first: list[str] = []

    def be_first(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO reconciliations") and not came_first:
            came_first.append(statement)
            with others.begin() as connection:
                connection.execute(insert(days).values(drifts.values("k", EIGHT + timedelta(minutes=30))))

    event.listen(database.writer(), "before_cursor_execute", be_first)
    tell(1, 9_000_000)
    others.dispose()
    assert came_first, "the row must have been there when ours was written"
    with reading() as session:
        (day,) = session.scalars(select(Reconciliation))
    assert (day.start_total, day.end_total, day.drift) == (10_000_000, 9_000_000, 1_000_000)
    assert (day.until, day.stands) == (EIGHT + timedelta(hours=1), True)
