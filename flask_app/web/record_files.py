"""The ledger's entries as files: the same fields as in the API, a line each."""

from collections.abc import Iterator

from flask import Response

from flask_app.database import utc_now
from flask_app.services.usage.records_service import Record
from flask_app.web.context import t
from flask_app.web.exports import attachment, csv_pages, json_lines
from flask_app.web.records import Person, RecordReply, full_record_reply, own_record_reply

_NAMES = (
    *("id", "kind", "created_at", "channel", "model", "actual_model", "provider", "provenance", "outcome", "attempts"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "total_tokens"),
    *("cost_micros", "currency", "peak", "first_token_ms", "duration_ms", "refunded_at", "reason"),
    *("request_id", "attempt_id", "token_name", "unread"),
)
_PARTS = ("input_hit", "input_miss", "output", "request")
_OWN_HEADS = (*_NAMES, "tariff_id", *(f"{part}_micros" for part in _PARTS))
_FULL_HEADS = ("user_id", "username", "key", *_OWN_HEADS)


def records_file(pages: Iterator[list[Record]], kind: str, *, full: bool) -> Response:
    """As a browser gets it."""
    return attachment(lines(pages, kind, full=full), kind, t("records.file", day=f"{utc_now():%Y-%m-%d}"))


def lines(pages: Iterator[list[Record]], kind: str, *, full: bool) -> Iterator[str]:
    """The text of a file of one of FORMATS, page by page. `full`: with what only administrators see."""
    present = full_record_reply if full else own_record_reply
    replies = ([present(record) for record in page] for page in pages)
    if kind == "jsonl":
        return json_lines(replies)
    rows = ([_row(reply) for reply in page] for page in replies)
    return csv_pages(_FULL_HEADS if full else _OWN_HEADS, rows)


def _row(reply: RecordReply) -> list[object]:
    found = {part.kind: part.micros for part in reply.price.parts} if reply.price else {}
    micros = [found.get(kind, 0) if reply.price else None for kind in _PARTS]
    own = [*(getattr(reply, name) for name in _NAMES), reply.price.tariff_id if reply.price else None, *micros]
    return [reply.user.id, reply.user.username, reply.key_label, *own] if isinstance(reply.user, Person) else own
