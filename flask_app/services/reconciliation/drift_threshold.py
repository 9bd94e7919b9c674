"""How much a balance may differ from the ledger before that is an alarm: a setting of the site."""

import json

from sqlalchemy.orm import Session

from flask_app.domain.reconciliation import Threshold
from flask_app.errors import Invalid
from flask_app.models import Setting
from flask_app.services.site import stored_settings

NAME = "reconciliation"
USUAL = Threshold(absolute=100_000, permille=10)  # 0.10 of the account's currency, or 1 % of what was booked
MAX_ABSOLUTE, MAX_PERMILLE = 10**12, 1000


def stored(session: Session) -> Threshold:
    row = session.get(Setting, NAME)
    return _read(row.value if row else None)


def checked(absolute: int, permille: int) -> Threshold:
    """Raises Invalid("bad_threshold")."""
    if not (0 <= absolute <= MAX_ABSOLUTE and 0 <= permille <= MAX_PERMILLE):
        raise Invalid("bad_threshold")
    return Threshold(absolute=absolute, permille=permille)


def keep(session: Session, threshold: Threshold) -> Threshold:
    """Gives what held before; within `stored_settings.in_turn`."""
    found = stored_settings.locked(session, NAME)
    value = json.dumps({"absolute": threshold.absolute, "permille": threshold.permille})
    stored_settings.keep(session, found, {NAME: value})
    return _read(found.get(NAME))


def _read(value: str | None) -> Threshold:
    return Threshold(**json.loads(value)) if value else USUAL
