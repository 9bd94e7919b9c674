"""How far a program may still go, as headers: the rate of messages, and the tightest of its budgets in tokens.

Each company's clients look for names and shapes of their own. Nothing is asked of the database for them.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Flask, Response, g

from flask_app.database import utc_now
from flask_app.domain.budget import TOKENS, Allowance
from flask_app.errors import AppError, BudgetExhausted
from flask_app.web import limits, programs

KINDS = REQUESTS, TOKENS_LEFT = "requests", "tokens"
FIGURES = "limit", "remaining", "reset"
OF_OPENAI = tuple(f"x-ratelimit-{figure}-{kind}" for kind in KINDS for figure in FIGURES)
OF_ANTHROPIC = tuple(f"anthropic-ratelimit-{kind}-{figure}" for kind in KINDS for figure in FIGURES)


def init_app(app: Flask) -> None:
    app.after_request(lambda response: _tell(response) if programs.is_program() else response)


def allow(allowance: Allowance | None, used: int) -> None:
    """This is what was left of the tightest budget before the request, which takes `used` tokens of it."""
    g.allowance = allowance and Allowance(allowance.limit, max(allowance.left - used, 0), allowance.renews_at)


def refuse(error: AppError) -> None:
    """The same for what there was no room for."""
    if isinstance(error, BudgetExhausted) and error.params["unit"] == TOKENS:
        limit, left, renews_at = (error.params[name] for name in ("limit", "left", "renews_at"))
        g.allowance = Allowance(limit, left, renews_at)  # type: ignore[arg-type]


def _tell(response: Response) -> Response:
    now, of_messages = utc_now(), programs.speaks_messages()
    for kind, limit, left, resets_at in _limits(now):
        figures = {"limit": str(limit), "remaining": str(left)}
        if resets_at is not None:
            figures["reset"] = _moment(resets_at) if of_messages else _duration(resets_at - now)
        for figure, value in figures.items():
            name = f"anthropic-ratelimit-{kind}-{figure}" if of_messages else f"x-ratelimit-{figure}-{kind}"
            response.headers[name] = value
    return response


def _limits(now: datetime) -> Iterator[tuple[str, int, int, datetime | None]]:
    if counted := limits.counted_message():
        rate, seen = counted
        yield REQUESTS, rate.amount, rate.amount - seen.used, now + timedelta(seconds=seen.empties)
    if (allowance := g.get("allowance")) is not None:
        yield TOKENS_LEFT, allowance.limit, allowance.left, allowance.renews_at


def _moment(moment: datetime) -> str:
    """As RFC 3339 has it, in whole seconds, rounded up."""
    whole = moment.replace(microsecond=0) + timedelta(seconds=moment.microsecond > 0)
    return f"{whole:%Y-%m-%dT%H:%M:%S}Z"


def _duration(time: timedelta) -> str:
    """As OpenAI writes it: "7s", "6m0s", "1h0m0s"."""
    minutes, seconds = divmod(max(math.ceil(time.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
