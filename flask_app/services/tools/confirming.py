"""A person's word on a call that waits for it: written to its row, at which the run's worker looks."""

from sqlalchemy.engine import Connection

from flask_app.database import in_writing
from flask_app.domain.tools import REFUSED, RUNNING
from flask_app.errors import Conflict, NotFound
from flask_app.models import User
from flask_app.services.runs import run_service
from flask_app.services.tools import tool_calls


def decide(actor: User, run_id: str, call_id: str, *, allow: bool, all_of_them: bool) -> None:
    """Allow it or not, `all_of_them` with further ones of its server in this answer.

    Raises NotFound for somebody else's, Conflict("call_not_waiting") for one that does not wait any more.
    """
    run_service.owned(actor, run_id)

    def write(connection: Connection) -> None:
        if not tool_calls.is_of_run(connection, run_id, call_id):
            raise NotFound
        status = RUNNING if allow else REFUSED
        if not tool_calls.decide(connection, call_id, status, all_of_them=allow and all_of_them):
            raise Conflict("call_not_waiting")

    in_writing(write)
