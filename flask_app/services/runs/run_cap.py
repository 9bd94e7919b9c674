"""How many answers a person may have in the making at once.

They are counted once the person's row is locked (`budget_service.take_turn`), by a statement that begins after it: so
each of several at the same moment counts those before it.
"""

from sqlalchemy import bindparam, func, insert, or_, select
from sqlalchemy.engine import Connection

from flask_app import config
from flask_app.database import table_of
from flask_app.errors import TooMany
from flask_app.models import Run
from flask_app.services.runs import run_service
from flask_app.statements import Act, Prepared, Query, Question

RETRY_SECONDS = 5

_runs = table_of(Run)
# A title is made on no wish of theirs: such a run has neither a conversation nor a token.
_RUNNING = select(func.count().label("running")).where(
    Run.user_id == bindparam("person"),
    Run.status == "running",
    or_(Run.is_of_chat(), Run.token_id.is_not(None)),
)
_COUNT_RUNNING = Query(_RUNNING)
_INSERT_COUNTED = Prepared(
    insert(_runs).from_select(
        [*run_service.COLUMNS, "lease_expires_at"],
        select(
            *(bindparam(f"new_{name}", type_=_runs.c[name].type) for name in run_service.COLUMNS),
            run_service.NEW_LEASE,
        ).where(_RUNNING.scalar_subquery() < bindparam("limit")),
        include_defaults=False,
    )
)


def check(connection: Connection, user_id: str) -> None:
    """Raises TooMany("too_many_runs") where the person has as many answers in the making as allowed."""
    limit = config.current().max_runs_per_user
    count, whose = question(user_id)
    if (count.value(connection, whose) or 0) >= limit:
        raise _too_many(limit)


def question(user_id: str) -> Question:
    """What `check` asks, for `statements.look_ahead`, behind what locks the person's row."""
    return _COUNT_RUNNING, {"person": user_id}


def written(run_id: str, user_id: str, **fields: str | None) -> Act:
    """What writes as `run_service.write` does, unless `check` would raise: then this does. That is one statement."""
    limit = config.current().max_runs_per_user
    row = {f"new_{name}": value for name, value in run_service.row(run_id, user_id, **fields).items()}

    def check_written(rows: int) -> None:
        if not rows:
            raise _too_many(limit)

    return Act(_INSERT_COUNTED, [{**row, "person": user_id, "limit": limit}], check_written)


def _too_many(limit: int) -> TooMany:
    return TooMany("too_many_runs", limit=limit, retry_after=RETRY_SECONDS)
