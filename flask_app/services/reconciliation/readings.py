"""What providers said was left on the accounts: one row for each currency of a reply, never changed and never removed.

A reading every half an hour makes some 17,500 rows a year for each currency of an account, about 5 MB.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select
from sqlalchemy.engine import Connection

from flask_app.column_types import UtcDateTime
from flask_app.database import new_id, table_of
from flask_app.domain.balance import Balance
from flask_app.domain.reconciliation import Reading
from flask_app.models import ApiKey, BalanceReading
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import UsableKey

readings, _keys = table_of(BalanceReading), table_of(ApiKey)

_since, _until = (bindparam(name, type_=UtcDateTime()) for name in ("since", "until"))
_of_account = readings.c.account == bindparam("account")
_LAST_BEFORE = select(func.max(readings.c.created_at)).where(_of_account, readings.c.created_at < _until)
_WITHIN = (
    select(readings)
    .where(_of_account, readings.c.created_at >= _since, readings.c.created_at < _until)
    .order_by(readings.c.created_at)
)
_ACCOUNTS = (
    select(readings.c.account)
    .where(readings.c.created_at >= _since, readings.c.created_at < _until)
    .distinct()
    .order_by(readings.c.account)
)


def account_of(key: UsableKey) -> str:
    """The account's name in the tables: its provider and label, or the key where it is alone."""
    return f"{key.provider_id}/{key.account}" if key.account else (key.id or "")


def keep(connection: Connection, key: UsableKey, told: Balance, asked: datetime) -> None:
    """Keep what the provider told when it was asked. All keys of the account are named, former ones too."""
    shared = " ".join(connection.scalars(select(_keys.c.id).where(key_service.of_account(key)).order_by(_keys.c.id)))
    sums = {each.currency: each for each in reversed(told.sums)}
    rows = [
        {
            "id": new_id(),
            "account": account_of(key),
            "provider_id": key.provider_id,
            "key_id": key.id,
            "keys": shared,
            "currency": each.currency,
            "total": each.total,
            "granted": each.granted,
            "topped_up": each.topped_up,
            "created_at": asked,
        }
        for each in sums.values()
    ]
    if rows:
        connection.execute(insert(readings), rows)


def last_before(connection: Connection, account: str, moment: datetime) -> datetime | None:
    found: datetime | None = connection.scalar(_LAST_BEFORE, {"account": account, "until": moment})
    return found


def accounts(connection: Connection, since: datetime, until: datetime) -> list[str]:
    """Those that were read from `since` up to, not including, `until`."""
    return list(connection.scalars(_ACCOUNTS, {"since": since, "until": until}))


def within(connection: Connection, account: str, since: datetime, until: datetime) -> dict[str, list[Reading]]:
    """By currency, in order of time: the last before `since`, and all up to, not including, `until`.

    Each currency has one of every moment.
    """
    first = last_before(connection, account, since) or since
    rows = connection.execute(_WITHIN, {"account": account, "since": first, "until": until}).all()
    replies = [list(group) for _, group in groupby(rows, key=lambda row: row.created_at)]
    currencies = sorted({row.currency for row in rows})
    return {currency: [_reading(currency, reply) for reply in replies] for currency in currencies}


def _reading(currency: str, reply: Sequence[Row[Any]]) -> Reading:
    own = next((row for row in reply if row.currency == currency), None)
    return Reading(
        at=reply[0].created_at,
        total=own.total if own else 0,
        granted=own.granted if own else 0,
        topped_up=own.topped_up if own else 0,
        keys=frozenset(reply[0].keys.split()),
        told=frozenset(row.currency for row in reply),
    )
