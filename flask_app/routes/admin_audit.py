"""The audit log: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit import audit_search
from flask_app.services.queries import paging
from flask_app.services.usage.stats_service import zone_of
from flask_app.utils import get_current_user, require_permission
from flask_app.web import arguments
from flask_app.web.audit import AuditReply, audit_reply
from flask_app.web.bodies import queries, returns

blueprint = Blueprint("admin_audit", __name__, url_prefix="/api/admin/audit")

_FILTER = {
    "who": "A person's name, or (command line).",
    "action": "Such as user.change.",
    "about": "The id of what it was done to.",
    "from": "The first day, such as 2026-11-25, in your time zone.",
    "to": "The last day.",
}


@blueprint.get("")
@require_permission("audit")
@returns(AuditReply)
@queries(**_FILTER, before="Where the last page ended (`next`).", limit="How many, at most 100.")
def listed() -> AuditReply:
    """What was done to people, keys, prices and settings, by whom and from where, the newest first."""
    page = audit_search.search(
        zone_of(get_current_user()),
        arguments.audit_filter(),
        before=arguments.word("before"),
        limit=arguments.number("limit", paging.PAGE),
    )
    return audit_reply(page)
