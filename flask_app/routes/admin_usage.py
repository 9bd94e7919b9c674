"""Everybody's use: the administrators' API."""

from flask import Blueprint, Response

from flask_app.database import utc_now
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import refund_service
from flask_app.services.site import overview_service
from flask_app.services.tokens import token_use_service
from flask_app.services.usage import breakdown_service, records_service, report_service
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import Body, Words, accepts, downloads, queries, returns
from flask_app.web.client import client_address
from flask_app.web.exports import FORMATS, file_format
from flask_app.web.readers import limits_readers
from flask_app.web.record_files import records_file
from flask_app.web.records import RecordReply, RecordsReply, all_records_reply, full_record_reply
from flask_app.web.usage import (
    GroupsReply,
    OverviewReply,
    ReportReply,
    TokensUseReply,
    groups_reply,
    overview_reply,
    report_reply,
    tokens_use_reply,
)
from flask_app.web.usage_files import groups_file, tokens_file

blueprint = Blueprint("admin_usage", __name__, url_prefix="/api/admin")

_RANGE = {"from": "The first day, as 2026-11-25.", "to": "The last day, within."}
_GROUPINGS = f"{', '.join(breakdown_service.SITE[:-1])} or {breakdown_service.SITE[-1]}."
_FILTER = {
    "user": "An id or part of a name.",
    "group": "The id of the group that people are in now.",
    "model": "The model asked for.",
    "key": "A key's id.",
    "outcome": "complete, stopped, left (by its reader), interrupted or failed.",
    "provenance": "reported, estimated, partial or refunded.",
    "channel": "chat, api, title or search.",
    "token": "An access token's id.",
    "id": "A record's id, its attempt's or its request's; one that a proxy gave the request, of the last three days.",
    **_RANGE,
}


class Refund(Body):
    """Why; the person sees it."""

    reason: Words


@blueprint.get("/overview")
@require_permission("usage")
@returns(OverviewReply)
def overview() -> OverviewReply:
    """People, keys and use at a glance."""
    return overview_reply(overview_service.overview(get_current_user(), utc_now()))


@blueprint.get("/usage")
@require_permission("usage")
@returns(GroupsReply)
@queries(by=_GROUPINGS, **_RANGE)
def usage() -> GroupsReply:
    """Use told apart; the last thirty days or everything where no days are given.

    A group's is that of the people who are in it now.
    """
    reader, by = get_current_user(), arguments.word("by") or "user"
    return groups_reply(breakdown_service.site(reader, by, arguments.dates(), utc_now()))


@blueprint.get("/usage/export")
@require_permission("usage")
@limits_readers
@downloads(FORMATS["csv"])
@queries(by=_GROUPINGS, **_RANGE)
def export_usage() -> Response:
    """The same as a table."""
    reader, by = get_current_user(), arguments.word("by") or "user"
    return groups_file(by, breakdown_service.site(reader, by, arguments.dates(), utc_now()))


@blueprint.get("/usage/tokens")
@require_permission("usage")
@returns(TokensUseReply)
@queries(**_RANGE)
def by_token() -> TokensUseReply:
    """Everybody's use by access token, in days of the site's time zone; everything where no days are given."""
    return tokens_use_reply(token_use_service.site(arguments.dates()), with_person=True)


@blueprint.get("/usage/tokens/export")
@require_permission("usage")
@limits_readers
@downloads(FORMATS["csv"])
@queries(**_RANGE)
def export_by_token() -> Response:
    """The same as a table."""
    return tokens_file(tokens_use_reply(token_use_service.site(arguments.dates()), with_person=True))


@blueprint.get("/report")
@require_permission("usage")
@returns(ReportReply)
@queries(**_RANGE)
def report() -> ReportReply:
    """Everybody's use in a range, and in the time before; the last thirty days where no days are given."""
    return report_reply(report_service.site(get_current_user(), arguments.dates(), utc_now()))


@blueprint.get("/records")
@require_permission("records")
@returns(RecordsReply)
@queries(**_FILTER, before="Where the last page ended (`next`).", limit="How many, at most 200.")
def records() -> RecordsReply:
    """Records that fit, the newest first."""
    page = records_service.search(
        get_current_user(),
        arguments.record_filter(),
        before=arguments.word("before"),
        limit=arguments.number("limit", records_service.PAGE),
    )
    return all_records_reply(page)


@blueprint.get("/records/export")
@require_permission("records")
@limits_readers
@downloads(*FORMATS.values())
@queries(**_FILTER, format="csv (the usual one) or jsonl.")
def export() -> Response:
    """All records that fit as a file, the newest first."""
    kind = file_format(arguments.word("format"))
    return records_file(records_service.every(get_current_user(), arguments.record_filter()), kind, full=True)


@blueprint.post("/records/<record_id>/refund")
@require_permission("refunds")
@require_proof
@accepts(Refund)
@returns(RecordReply)
def refund(record_id: str, body: Refund) -> RecordReply:
    """Give a record's tokens and cost back, wholly and once."""
    refund_service.refund(Actor(get_current_user(), client_address()), record_id, body.reason)
    return full_record_reply(records_service.get(record_id))
