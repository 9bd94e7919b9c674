"""How many answers a person may have in the making at once.

They are counted once the person's row is locked (`budget_service.take_turn`), by a statement that begins after it: so
each of several at the same moment counts those before it.
"""

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.errors import TooMany
from flask_app.models import Run
from flask_app.statements import Query, Question

RETRY_SECONDS = 5

# A title is made on no wish of theirs: such a run has neither a conversation nor a token.
_COUNT_RUNNING = Query(
    select(func.count().label("running")).where(
        Run.user_id == bindparam("person"),
        Run.status == "running",
        or_(Run.is_of_chat(), Run.token_id.is_not(None)),
    )
)


def check(connection: Connection, user_id: str) -> None:
    """Raises TooMany("too_many_runs") where the person has as many answers in the making as allowed."""
    limit = config.current().max_runs_per_user
    count, whose = question(user_id)
    if (count.value(connection, whose) or 0) >= limit:
        raise TooMany("too_many_runs", limit=limit, retry_after=RETRY_SECONDS)


def question(user_id: str) -> Question:
    """What `check` asks, for `statements.look_ahead`, behind what locks the person's row."""
    return _COUNT_RUNNING, {"person": user_id}
