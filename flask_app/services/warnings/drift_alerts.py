"""On which days a provider's balance and the ledger differ, and nobody has acknowledged it."""

from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain.warning import ALL, Alert
from flask_app.models import Reconciliation
from flask_app.services.reconciliation.reconciliation_admin_service import Names

KIND = "drift"

_days = table_of(Reconciliation)
_STANDING = select(_days).where(_days.c.stands).order_by(_days.c.day, _days.c.id)


def standing(connection: Connection) -> list[Alert]:
    """Every alarm that stands now. One that grew after it was acknowledged may be told again."""
    rows = connection.execute(_STANDING).all()
    names = Names(connection) if rows else None
    return [
        Alert(
            kind=KIND,
            subject_id=row.id,
            armed=row.known_at.isoformat() if row.known_at else "new",
            share=ALL,
            facts={
                "provider": names.provider(row.account),
                "account": names.account(row.account),
                "day": row.day.isoformat(),
                "currency": row.currency,
                "booked": row.booked,
                "drift": row.drift,
            },
        )
        for row in rows
        if names
    ]
