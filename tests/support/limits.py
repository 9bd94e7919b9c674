"""Budgets for tests, and messages that ask for what they limit."""

from typing import Any

from sqlalchemy import update

from flask_app.database import transaction
from flask_app.domain import budget
from flask_app.models import Budget, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from tests.support.clients import PageClient

BUDGETS = "/api/budgets"
PROMPT = budget.prompt_bound(["hello"])
LEAST = PROMPT + budget.MIN_ANSWER
JSON = {"Accept": "application/json"}


def limit(amount: int, *, scope: str = "site", scope_id: str = "", period: str = "day", **fields: Any) -> str:
    unit, hard = fields.get("unit", "tokens"), fields.get("hard", True)
    place = Place(scope=scope, scope_id=scope_id, unit=unit, period=period)
    made = budget_admin_service.add(Actor(None), place, max(amount, 1), hard=hard).standing.id
    if amount == 0:  # there may be such rows of earlier versions
        with transaction() as session:
            session.execute(update(Budget).where(Budget.id == made).values(amount=0))
    return made


def ask(client: PageClient, message: str = "hello", language: str = "en", **fields: Any) -> Any:
    headers = {**JSON, "Accept-Language": language}
    return client.post("/api/chat", json={"message": message, **fields}, headers=headers)


def own(client: PageClient) -> list[dict[str, Any]]:
    return list(client.get(BUDGETS).json["budgets"])  # type: ignore[index]


def balance(person: User, unit: str = "tokens", amount: int = 0) -> str:
    """A prepaid balance of the person's own, which codes can go to."""
    place = Place(scope="user", scope_id=person.id, unit=unit, period="prepaid")
    return budget_admin_service.add(Actor(None), place, amount, reason="paid").standing.id
