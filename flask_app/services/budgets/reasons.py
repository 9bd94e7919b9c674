"""Why somebody gave back or took away: a line that the ledger and the audit log keep."""

from flask_app.errors import Invalid

MAX_REASON = 200
OPENING = "opening balance"  # that of a group's; readers see it in their language


def checked(raw: str) -> str:
    """Without the blanks around it; raises Invalid("bad_reason")."""
    reason = raw.strip()
    if not (0 < len(reason) <= MAX_REASON and reason.isprintable()):
        raise Invalid("bad_reason", limit=MAX_REASON)
    return reason
