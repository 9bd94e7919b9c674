"""The dashboard page."""

from flask import Blueprint, render_template

from flask_app import config
from flask_app.database import utc_now
from flask_app.services import budget_service, code_service, records_service, report_service, stats_service
from flask_app.services.records_service import Filter
from flask_app.services.stats_service import DateRange
from flask_app.utils import get_current_user, require_login
from flask_app.web import arguments, pages
from flask_app.web.budgets import budget_reply
from flask_app.web.records import own_records_reply
from flask_app.web.usage import DashboardState, report_reply, summary_reply

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@require_login
def home() -> str:
    user, now = get_current_user(), utc_now()
    report = report_service.own(user, arguments.dates(), now)
    shown = DateRange(report.days.first, report.days.last)
    listed = own_records_reply(records_service.own(user, Filter(dates=shown)))
    state = DashboardState(
        summary=summary_reply(stats_service.own_summary(user, now)),
        report=report_reply(report),
        budgets=[budget_reply(each) for each in budget_service.own(user, now)],
        codes=code_service.are_there(),
        records=listed.records,
        next=listed.next,
    )
    return render_template(
        "dashboard.html", dashboard_state=pages.state(state), site_timezone=config.current().site_timezone
    )
