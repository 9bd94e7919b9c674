"""Use told apart, as a table that spreadsheets open: the same figures as in the API, a line each."""

from flask import Response

from flask_app.database import utc_now
from flask_app.services.usage.breakdown_service import Part
from flask_app.services.usage.sums import COUNTS
from flask_app.web.context import t
from flask_app.web.exports import attachment, csv_pages
from flask_app.web.usage import TokensUseReply, groups_reply


def groups_file(by: str, parts: list[Part]) -> Response:
    """One column of money for each currency: they are never added up."""
    currencies = sorted({currency for part in parts for currency in part.sum.costs})
    heads = (by, "name", *COUNTS, "total_tokens", *(f"cost_micros_{currency}" for currency in currencies))
    rows = (
        [
            reply.key,
            reply.label,
            *(getattr(reply, name) for name in COUNTS),
            reply.total_tokens,
            *(part.sum.costs.get(currency) for currency in currencies),
        ]
        for part, reply in zip(parts, groups_reply(parts).rows, strict=True)
    )
    return attachment(csv_pages(heads, [rows]), "csv", t("stats.file", by=by, day=f"{utc_now():%Y-%m-%d}"))


def tokens_file(reply: TokensUseReply) -> Response:
    """The same by access tokens, of which no more is counted."""
    currencies = sorted({cost.currency for row in reply.rows for cost in row.costs})
    heads = ("token", "name", "total_tokens", *(f"cost_micros_{currency}" for currency in currencies))
    rows = []
    for row in reply.rows:
        costs = {cost.currency: cost.micros for cost in row.costs}
        rows.append([row.key, row.label, row.total_tokens, *(costs.get(currency) for currency in currencies)])
    return attachment(csv_pages(heads, [rows]), "csv", t("stats.file", by="token", day=f"{utc_now():%Y-%m-%d}"))
