"""Limits of access tokens: where they are set, what a person is shown of them, and what is stored."""

from typing import Any

from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Budget
from flask_app.services.tokens.token_service import Made
from tests.support.clients import PageClient

TOKENS = "/api/tokens"
CAP = {"period": "day", "limit": 10_000}


def path(token: Made) -> str:
    return f"{TOKENS}/{token.token.id}/budget"


def shown(client: PageClient) -> dict[str, Any]:
    """The budget of each token, by its name."""
    return {each["name"]: each["budget"] for each in client.get(TOKENS).get_json()["tokens"]}


def stored() -> list[tuple[str, str, str, int]]:
    with reading() as session:
        return [(row.scope_id, row.unit, row.period, row.amount) for row in session.scalars(select(Budget))]
