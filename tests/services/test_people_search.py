"""How the database finds the people whom an administrator looks for."""

from typing import Any

import pytest
from sqlalchemy import event

from flask_app.database import reading
from flask_app.models import User
from flask_app.services.people import user_admin_service


@pytest.mark.parametrize("wanted", [{}, {"search": "9"}, {"state": "disabled"}, {"state": "waiting"}])
def test_people_are_read_from_the_newest_on_and_not_sorted(
    member: User, chosen_database: str, wanted: dict[str, str]
) -> None:
    """Nearly all are there: the index of those who are not finds no page of them."""
    if chosen_database != "sqlite":
        pytest.skip("other databases know how many are there")
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    with reading() as session:
        engine = session.connection().engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            user_admin_service.listed(**wanted)  # type: ignore[arg-type]
        finally:
            event.remove(engine, "before_cursor_execute", note)
        statement, parameters = next(each for each in asked if "FROM users" in each[0])
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).scalars("detail")
        steps = list(plan)
    assert steps[0].startswith("SCAN users USING INDEX")
    assert not [step for step in steps if "TEMP B-TREE" in step]
