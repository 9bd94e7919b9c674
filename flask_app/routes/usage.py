"""One's own use: the API of the dashboard."""

from flask import Blueprint

from flask_app.database import utc_now
from flask_app.services import records_service, stats_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import arguments
from flask_app.web.bodies import queries, returns
from flask_app.web.records import RecordsReply, own_records_reply
from flask_app.web.usage import SummaryReply, summary_reply

blueprint = Blueprint("usage", __name__, url_prefix="/api/usage")


@blueprint.get("/summary")
@require_login
@returns(SummaryReply)
def summary() -> SummaryReply:
    """One's own tokens and cost today, this week, this month, in all, and by day."""
    return summary_reply(stats_service.own_summary(get_current_user(), utc_now()))


@blueprint.get("/records")
@require_login
@returns(RecordsReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 200.")
def records() -> RecordsReply:
    """One's own records, the newest first."""
    page = records_service.own(
        get_current_user(),
        before=arguments.word("before"),
        limit=arguments.number("limit", records_service.PAGE),
    )
    return own_records_reply(page)
