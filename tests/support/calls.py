"""Calls that reserve and settle, as the metered door makes them, without a provider."""

from datetime import datetime

from sqlalchemy.engine import Connection

from flask_app.database import in_writing, new_id
from flask_app.domain.events import Usage
from flask_app.services.budgets import budget_service
from flask_app.services.completion.attempts import Bounds, Call, Dispatched, Outcome
from flask_app.services.ledger import metering_service


def call_of(
    user_id: str,
    *,
    model: str = "deepseek-flash",
    provider_id: str = "p",
    currency: str = "CNY",
    prompt: int = 3,
    token_id: str | None = None,
    channel: str | None = None,
) -> Call:
    return Call(
        user_id=user_id,
        channel=channel or ("api" if token_id else "chat"),
        model=model,
        provider_id=provider_id,
        currency=currency,
        request_id=new_id(),
        address="192.0.2.1",
        prompt_estimate=prompt,
        token_id=token_id,
    )


def dispatch(call: Call, bounds: Bounds, at: datetime | None = None, *, key_id: str | None = "key") -> Dispatched:
    """Raises BudgetExhausted."""

    def work(connection: Connection) -> Dispatched:
        budget_service.take_turn(connection, call.user_id)
        return metering_service.dispatch(connection, call, key_id, bounds, at=at)

    return in_writing(work)


def settle(sent: Dispatched, prompt: int, completion: int, cached: int = 0, *, actual_model: str | None = None) -> None:
    outcome = Outcome(usage=Usage(prompt, cached, completion, 0), text_parts=["x"], actual_model=actual_model)
    in_writing(lambda connection: metering_service.settle(connection, sent, outcome))
