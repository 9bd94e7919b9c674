"""The dashboard page."""

from flask import Blueprint, render_template

from flask_app.database import utc_now
from flask_app.services import records_service, stats_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import pages
from flask_app.web.records import own_records_reply
from flask_app.web.usage import DashboardState, summary_reply

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@require_login
def home() -> str:
    user = get_current_user()
    listed = own_records_reply(records_service.own(user))
    state = DashboardState(
        summary=summary_reply(stats_service.own_summary(user, utc_now())), records=listed.records, next=listed.next
    )
    return render_template("dashboard.html", dashboard_state=pages.state(state))
