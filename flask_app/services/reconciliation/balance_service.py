"""What is left on the accounts at the providers: read on schedule by one process, and by hand."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, table_of, utc_now
from flask_app.domain import balance
from flask_app.domain.balance import Balance
from flask_app.errors import Conflict, UpstreamError
from flask_app.models import ApiKey, Provider
from flask_app.services.completion import cooldown_service
from flask_app.services.providers import key_service
from flask_app.services.providers.key_service import UsableKey
from flask_app.services.reconciliation import readings, reconciliation_service
from flask_app.services.secrets.sealing import Unreadable
from flask_app.upstream import short_replies

EVERY, EVERY_UNTOLD = timedelta(minutes=30), timedelta(days=1)
AT_ONCE = 50
PATH = "/user/balance"
NOT_OFFERED = (404, 405)

log = structlog.get_logger()

_keys, _providers = table_of(ApiKey), table_of(Provider)


def read(key: UsableKey) -> None:
    """Ask the provider what is left on the key's account, keep it for all the account's keys, and compare the day.

    Raises UpstreamError, or Conflict("balance_not_offered") where the provider does not tell.
    """
    asked = utc_now()
    try:
        found = balance.parse(short_replies.fetch(key.endpoint(), PATH))
    except UpstreamError as error:
        if error.upstream_status not in NOT_OFFERED:
            raise
        in_writing(lambda connection: _note_untold(connection, key))
        raise Conflict("balance_not_offered") from error
    except ValueError as error:
        raise UpstreamError("upstream_garbage") from error
    in_writing(lambda connection: _keep(connection, key, found, asked))
    reconciliation_service.refresh(readings.account_of(key), asked)


def read_due() -> None:
    """Read the balances whose time has come; those that another process reads are left to it."""
    for key in _due():
        if not in_writing(lambda connection, key=key: _claim(connection, key)):  # type: ignore[misc]
            continue
        try:
            read(key)
        except (UpstreamError, Conflict) as error:
            log.info("balance_not_read", key=key.id, code=error.code)


def _due() -> list[UsableKey]:
    """The keys whose provider has not been asked lately, which is longer where it had nothing to tell."""
    query = select(_keys.c.id, _keys.c.provider_id)
    with fetching() as connection:
        rows = connection.execute(query.where(key_service.usable(), _is_due(utc_now())).limit(AT_ONCE)).all()
    wanted = {row.id for row in rows}
    usable = [key for provider_id in {row.provider_id for row in rows} for key in _usable(provider_id)]
    return [key for key in usable if key.id in wanted]


def _usable(provider_id: str) -> list[UsableKey]:
    try:
        return key_service.of_provider(provider_id)
    except Unreadable as error:
        log.warning("balance_not_read", provider=provider_id, code=error.code)
        return []


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(_keys.c.balance_due_at.is_(None), _keys.c.balance_due_at <= now)


def _claim(connection: Connection, key: UsableKey) -> bool:
    """Take over the reading of an account's balance; False when somebody else has."""
    now = utc_now()
    due = update(_keys).where(key_service.of_account(key), _is_due(now)).values(balance_due_at=now + EVERY)
    return connection.execute(due).rowcount > 0


def _keep(connection: Connection, key: UsableKey, found: Balance, asked: datetime) -> None:
    now = utc_now()
    readings.keep(connection, key, found, asked)
    kept = {"balance": found.stored(), "balance_at": now, "balance_due_at": now + EVERY}
    connection.execute(update(_keys).where(key_service.of_account(key)).values(kept))
    connection.execute(update(_providers).where(_providers.c.id == key.provider_id).values(balance_offered=True))
    if found.available:
        cooldown_service.end_empty(connection, key, asked)


def _note_untold(connection: Connection, key: UsableKey) -> None:
    """It may be a moment's fault: whoever has told before is still taken for one who tells."""
    later = update(_keys).where(key_service.of_account(key)).values(balance_due_at=utc_now() + EVERY_UNTOLD)
    connection.execute(later)
    never_told = and_(_providers.c.id == key.provider_id, _providers.c.balance_offered.is_not(True))
    connection.execute(update(_providers).where(never_told).values(balance_offered=False))
