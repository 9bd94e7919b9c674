"""The API of calls that wait for a person's word."""

from flask import Blueprint

from flask_app.services.tools import confirming
from flask_app.utils import get_current_user, require_login
from flask_app.web.bodies import Body, accepts, refuses, returns

blueprint = Blueprint("tool_calls", __name__, url_prefix="/api")


class Decision(Body):
    """`all`: further calls of the same server are allowed for this answer, too."""

    allow: bool
    all: bool = False


@blueprint.post("/runs/<run_id>/calls/<call_id>")
@require_login
@accepts(Decision)
@returns(None, 204)
@refuses(409, "`call_not_waiting`: it was decided before, nobody did in time, or its answer has ended.")
def decide(run_id: str, call_id: str, body: Decision) -> None:
    """Allow a call of a tool that one's answer waits with, or not."""
    confirming.decide(get_current_user(), run_id, call_id, allow=body.allow, all_of_them=body.all)
