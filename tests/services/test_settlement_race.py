"""However many end an attempt at once, in however many processes: it ends once, and is booked once or not at all."""

from collections import Counter
from typing import Any

from sqlalchemy import select

from flask_app.database import reading, utc_now, writing
from flask_app.models import Attempt, TokenUsage
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.completion.attempts import Bounds
from tests.conftest import MakeUser
from tests.support import calls
from tests.support.keys import keep_provider
from tests.support.racing import raced

ATTEMPTS = 100
BOUNDS = Bounds(prompt=100, answer=300)


def test_two_processes_with_200_callers_each_end_100_attempts_once(database_url: str, make_user: MakeUser) -> None:
    place = Place(scope="site", period="month")
    budget = budget_admin_service.add(Actor(None), place, ATTEMPTS * 400).standing.id
    people, provider = [make_user(f"person {number}").id for number in range(10)], keep_provider("Example", "https://x")
    calls_made = [calls.call_of(people[number % 10], provider_id=provider) for number in range(ATTEMPTS)]
    attempts = [calls.dispatch(call, BOUNDS).attempt_id for call in calls_made]
    assert stands(budget) == (0, ATTEMPTS * 400)

    booked = race(database_url, attempts)
    with reading() as session:
        states = dict(session.execute(select(Attempt.id, Attempt.state)).all())
        entries = session.scalars(select(TokenUsage)).all()
    settled = [attempt for attempt, state in states.items() if state == "settled"]
    assert set(states.values()) == {"settled", "released"}, "both must have won somewhere"
    assert sorted(entry.attempt_id for entry in entries) == sorted(settled)
    assert sum(entry.source == "reported" for entry in entries) == booked["report"] > 0
    assert sum(entry.completion_tokens > 0 for entry in entries) == booked["report"] + booked["estimate"]
    assert stands(budget) == (sum(entry.prompt_tokens + entry.completion_tokens for entry in entries), 0)


def race(database_url: str, attempts: list[str]) -> Counter[str]:
    booked = raced("settlement_race", database_url, *attempts)
    assert booked.keys() <= {"report", "estimate", "nothing"}, "nobody may fail"
    return booked


def stands(budget: str) -> tuple[Any, Any]:
    with writing() as connection:
        (standing,) = budget_service.standings(connection, [budget], utc_now()).values()
    return standing.spent, standing.reserved
