"""The dashboard page."""

from dataclasses import replace

from flask import Blueprint, render_template

from flask_app import config
from flask_app.database import utc_now
from flask_app.services.budgets import budget_service, code_service
from flask_app.services.tokens import token_service
from flask_app.services.usage import record_counts, records_service, report_service, stats_service
from flask_app.services.usage.record_search import Filter
from flask_app.services.usage.stats_service import DateRange
from flask_app.utils import get_current_user, require_login
from flask_app.web import arguments, pages
from flask_app.web.budgets import budget_reply
from flask_app.web.records import own_records_reply
from flask_app.web.usage import Choice, DashboardState, report_reply, summary_reply

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/dashboard")
@require_login
def home() -> str:
    user, now = get_current_user(), utc_now()
    report = report_service.own(user, arguments.dates(), now)
    wanted = arguments.own_record_filter()
    shown = DateRange(report.days.first, report.days.last) if wanted.id is None else DateRange()
    wanted = replace(wanted, dates=shown)
    listed = own_records_reply(records_service.own(user, wanted))
    if wanted == Filter(dates=shown):  # all of the report, which has counted them
        expected: int | None = report.whole.sum.requests + report.whole.sum.refunds
    else:
        expected = record_counts.expected(user, wanted, user.id)
    state = DashboardState(
        summary=summary_reply(stats_service.own_summary(user, now)),
        report=report_reply(report),
        budgets=[budget_reply(each) for each in budget_service.own(user, now)],
        codes=code_service.can_redeem(user),
        expected=expected,
        models=records_service.known_models(),
        tokens=[Choice(id=token.id, label=token.name) for token in token_service.own(user)],
        records=listed.records,
        next=listed.next,
    )
    return render_template(
        "dashboard.html", dashboard_state=pages.state(state), site_timezone=config.current().site_timezone
    )
