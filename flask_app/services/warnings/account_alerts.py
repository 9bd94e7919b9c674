"""Which accounts at the providers are low or empty now: by the balance that was read, and by keys that are benched."""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.domain import warning
from flask_app.domain.balance import Balance
from flask_app.domain.warning import ALL, Alert
from flask_app.models import ApiKey, Provider, Setting
from flask_app.services.providers import key_service

KIND = "account"
OPEN = "open"  # how an alert of an account is armed until it is over
EMPTY = "upstream_no_balance"
LOW_BALANCE = "low_balance"  # the row of `settings`
USUAL_MICROS = 10_000_000  # ten of whatever the account is kept in
AT_LEAST_OPEN = timedelta(hours=1)  # an account whose balance nobody knows goes to and fro: not a warning each time

_Row = Row[*tuple[Any, ...]]
_keys, _providers, _settings = table_of(ApiKey), table_of(Provider), table_of(Setting)


def standing(connection: Connection) -> list[Alert]:
    """Every alert that holds now, one an account."""
    usual = threshold(connection)
    accounts: dict[str, list[_Row]] = {}
    for row in connection.execute(_TOLD):
        accounts.setdefault(_subject(row), []).append(row)
    found = (_alert(subject, keys, usual) for subject, keys in accounts.items())
    return [alert for alert in found if alert]


def threshold(connection: Connection) -> int:
    """What is low where a key says nothing of its own, in millionths of the account's currency."""
    stored = connection.scalar(_THRESHOLD)
    return USUAL_MICROS if stored is None else int(stored)


def _subject(key: _Row) -> str:
    """Keys of one account are one subject."""
    if key.account is None:
        return str(key.id)
    return sha256(f"{key.provider_id}\0{key.account}".encode()).hexdigest()


def _alert(subject: str, keys: list[_Row], usual: int) -> Alert | None:
    """Of keys that share an account the highest of their thresholds counts."""
    own = [key.low_balance_micros for key in keys if key.low_balance_micros is not None]
    share = _share_gone(keys, max(own, default=usual))
    if share is None:
        return None
    facts = {"provider": keys[0].provider, "account": keys[0].account, "sums": _sums(keys)}
    facts |= {"keys": [key.label for key in keys], "threshold": max(own, default=usual)}
    return Alert(kind=KIND, subject_id=subject, armed=OPEN, share=share, facts=facts)


def _share_gone(keys: Iterable[_Row], low: int) -> int | None:
    """By a key that is benched, else by the balance that was read last: one without either is not looked at.

    With a threshold of 0 only an empty account is told of.
    """
    balance = _balance(keys)
    if balance is None or any(key.bench_code == EMPTY for key in keys):
        return ALL
    return warning.share_gone((each.total for each in balance.sums), available=balance.available, threshold=low)


def _balance(keys: Iterable[_Row]) -> Balance | None:
    known = [key for key in keys if key.balance is not None]
    return Balance.restored(max(known, key=lambda key: key.balance_at).balance) if known else None


def _sums(keys: Iterable[_Row]) -> list[dict[str, Any]]:
    balance = _balance(keys)
    return [{"currency": each.currency, "micros": each.total} for each in balance.sums] if balance else []


_TOLD = (
    select(
        *(_keys.c[name] for name in ("id", "label", "provider_id", "account", "bench_code", "balance", "balance_at")),
        _keys.c.low_balance_micros,
        _providers.c.name.label("provider"),
    )
    .join(_providers, _providers.c.id == _keys.c.provider_id)
    .where(key_service.usable(), or_(_keys.c.balance.is_not(None), _keys.c.bench_code == EMPTY))
    .order_by(_keys.c.created_at, _keys.c.id)
)
_THRESHOLD = select(_settings.c.value).where(_settings.c.name == LOW_BALANCE)
