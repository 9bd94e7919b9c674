"""One's own use: the API of the dashboard."""

from flask import Blueprint, Response

from flask_app.database import utc_now
from flask_app.services.tokens import token_use_service
from flask_app.services.usage import breakdown_service, records_service, report_service, stats_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import arguments
from flask_app.web.bodies import downloads, queries, returns
from flask_app.web.exports import FORMATS, file_format
from flask_app.web.readers import limits_readers
from flask_app.web.record_files import records_file
from flask_app.web.records import RecordsReply, own_records_reply
from flask_app.web.usage import (
    GroupsReply,
    ReportReply,
    SummaryReply,
    TokensUseReply,
    groups_reply,
    report_reply,
    summary_reply,
    tokens_use_reply,
)
from flask_app.web.usage_files import groups_file, tokens_file

blueprint = Blueprint("usage", __name__, url_prefix="/api/usage")

_RANGE = {"from": "The first day, as 2026-11-25.", "to": "The last day, within."}
_GROUPINGS = f"{', '.join(breakdown_service.OWN[:-1])} or {breakdown_service.OWN[-1]}."
OWN_FILTER = {
    "model": "The model asked for.",
    "outcome": "complete, stopped, left (by its reader), interrupted or failed.",
    "provenance": "reported, estimated, partial or refunded.",
    "channel": "chat, api, title or search.",
    "token": "An access token's id.",
    "id": "A record's id, its attempt's or its request's; one that a proxy gave the request, of the last three days.",
    **_RANGE,
}


@blueprint.get("/summary")
@require_login
@returns(SummaryReply)
def summary() -> SummaryReply:
    """One's own tokens and cost today, this week, this month, in all, and by day."""
    return summary_reply(stats_service.own_summary(get_current_user(), utc_now()))


@blueprint.get("/report")
@require_login
@returns(ReportReply)
@queries(**_RANGE)
def report() -> ReportReply:
    """One's own use in a range, and in the time before; the last thirty days where no days are given."""
    return report_reply(report_service.own(get_current_user(), arguments.dates(), utc_now()))


@blueprint.get("/groups")
@require_login
@returns(GroupsReply)
@queries(by=_GROUPINGS, **_RANGE)
def groups() -> GroupsReply:
    """One's own use told apart; the last thirty days or everything where no days are given."""
    by = arguments.word("by") or "model"
    return groups_reply(breakdown_service.own(get_current_user(), by, arguments.dates(), utc_now()))


@blueprint.get("/groups/export")
@require_login
@limits_readers
@downloads(FORMATS["csv"])
@queries(by=_GROUPINGS, **_RANGE)
def export_groups() -> Response:
    """The same as a table."""
    by = arguments.word("by") or "model"
    return groups_file(by, breakdown_service.own(get_current_user(), by, arguments.dates(), utc_now()))


@blueprint.get("/tokens")
@require_login
@returns(TokensUseReply)
@queries(**_RANGE)
def by_token() -> TokensUseReply:
    """One's own use by access token, in days of the site's time zone; everything where no days are given."""
    return tokens_use_reply(token_use_service.own(get_current_user(), arguments.dates()), with_person=False)


@blueprint.get("/tokens/export")
@require_login
@limits_readers
@downloads(FORMATS["csv"])
@queries(**_RANGE)
def export_by_token() -> Response:
    """The same as a table."""
    return tokens_file(
        tokens_use_reply(token_use_service.own(get_current_user(), arguments.dates()), with_person=False)
    )


@blueprint.get("/records")
@require_login
@returns(RecordsReply)
@queries(**OWN_FILTER, before="Where the last page ended (`next`).", limit="How many, at most 200.")
def records() -> RecordsReply:
    """One's own records that fit, the newest first."""
    page = records_service.own(
        get_current_user(),
        arguments.own_record_filter(),
        before=arguments.word("before"),
        limit=arguments.number("limit", records_service.PAGE),
    )
    return own_records_reply(page)


@blueprint.get("/records/export")
@require_login
@limits_readers
@downloads(*FORMATS.values())
@queries(**OWN_FILTER, format="csv (the usual one) or jsonl.")
def export() -> Response:
    """All of one's own records that fit as a file, the newest first."""
    kind = file_format(arguments.word("format"))
    pages = records_service.every_own(get_current_user(), arguments.own_record_filter())
    return records_file(pages, kind, full=False)
