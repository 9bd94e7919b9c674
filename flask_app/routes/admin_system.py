"""How the site stands: the administrators' API."""

from flask import Blueprint

from flask_app.utils import require_permission
from flask_app.web.bodies import returns
from flask_app.web.system import SystemReply, system_reply

blueprint = Blueprint("admin_system", __name__, url_prefix="/api/admin/system")


@blueprint.get("")
@require_permission("system")
@returns(SystemReply)
def shown() -> SystemReply:
    """How the database, Redis, keys, backups and the processes of all instances stand.

    Nothing is asked of providers or mail servers: `flask doctor` does that.
    """
    return system_reply()
